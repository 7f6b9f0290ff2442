-- What associations have told about a notice: figures only. seq counts up; passed_seq is what has gone up already.
CREATE TABLE figure_reports (
    key TEXT NOT NULL,
    server TEXT NOT NULL,
    room_id TEXT NOT NULL,
    seq {int} NOT NULL,
    passed_seq {int} NOT NULL,
    ts {int} NOT NULL,
    signed {bytes} NOT NULL,
    PRIMARY KEY (key, server)
);
CREATE INDEX figure_reports_due ON figure_reports (passed_seq, seq);
