-- News that came in somebody's quiet hours and waits for their end. The subscription is a pusher of jp.kairan.web.
CREATE TABLE web_push_waiting (
    user_id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    stream {int} NOT NULL,
    room_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    due_ts {int} NOT NULL,
    PRIMARY KEY (user_id, endpoint, stream)
);
CREATE INDEX web_push_waiting_by_due ON web_push_waiting (due_ts);
