"""What the pages of gatherings need; loaded with the first page."""

from __future__ import annotations

from server.assembly.node import Node
from server.association.gatherings.calendar import as_ics
from server.association.gatherings.calls import Calls
from server.association.gatherings.ledger import AttendanceLedger
from server.association.gatherings.writing_down import WritingDown
from server.foundation.worker_process import WorkerProcess
from server.web.gathering_services import GatheringServices
from server.web.reach import rings


def gathering_services(node: Node, printing: WorkerProcess) -> GatheringServices:
    """Gatherings, attendance from all sides, and the telephone list of what was called off."""
    core, association = node.core, node.association
    members, gatherings, attendance = association.members, association.gatherings, association.attendance
    pushers = core.services.pushers
    return GatheringServices(
        verbs=gatherings, attendance=attendance, as_ics=as_ics, calling_off=association.officers_work.calling_off,
        writing=WritingDown(
            core.database, core.clock, core.services.sync.ground.positions, members, gatherings, attendance),
        ledger=AttendanceLedger(members, gatherings, attendance, core.clock),
        calls=Calls(
            core.database, core.clock, members, gatherings, attendance, lambda person: rings(pushers, person)),
        printing=printing,
    )
