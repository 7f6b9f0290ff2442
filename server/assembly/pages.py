"""What only the pages and the command line need of the association; loaded with the first page.

Reading a roster in, inviting, printing and the desks' tables bring classes and libraries that a node which only
serves Matrix clients never uses.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
from functools import partial

from server.accounts.interactive_auth import InteractiveAuth
from server.accounts.web_sessions import WebSessions
from server.assembly.app_passwords import app_passwords_of
from server.assembly.common_pages import common_services
from server.assembly.core import Core
from server.assembly.daily_pages import daily_services
from server.assembly.departing import departures_with
from server.assembly.gathering_pages import gathering_services
from server.assembly.handing_over import handovers_of
from server.assembly.new_phones import welcome_back
from server.assembly.node import Node
from server.assembly.push_keys import late_push_keys
from server.assembly.translation import translations_of
from server.assembly.trial_verbs import is_trial, trial_of
from server.assembly.well_being import facts_of
from server.association.circulars.ledger import CircularLedger
from server.association.circulars.pdf_reading import PDF_LIMITS, PdfReading
from server.association.circulars.reader import CircularReader
from server.association.circulars.stamps import Stamps
from server.association.examples.actions import Examples
from server.association.members.invitations import CardSettings, Invitations
from server.association.members.papers import PAPER_LIMITS, Papers
from server.association.members.roster_exchange import RosterExchange
from server.association.polls.slips import SLIP_LIMITS, Print, Slips
from server.association.polls.yearly import polls_between
from server.association.safety_checks.desk import SafetyDesk
from server.association.standing_papers.actions import StandingPapers
from server.calendars.feeds import Feeds
from server.foundation.worker_process import WorkerLimits, WorkerProcess
from server.http.late_door import Handler
from server.http.rate_limits import RateLimits
from server.web.app import make_pages
from server.web.services import (
    CircularServices,
    KeepingServices,
    NodeServices,
    RosterServices,
    SafetyServices,
    WebServices,
)
from server.web.sharing import SharingDesk
from server.web.wide_area import WideAreaDesk


def open_pages(node: Node, limits: RateLimits, interactive_auth: InteractiveAuth) -> Handler:
    """The handler of all pages."""
    if is_trial(node.settings):
        trial_of(node)  # whoever is made up goes on answering
    return make_pages(_services(node, limits, interactive_auth)).__call__


def invitations_of(node: Node) -> Invitations:
    """The verbs that invite people to the association."""
    core, members = node.core, node.association.members
    cards = CardSettings(core.settings.http.public_url, _pepper(core))
    invitations = Invitations(core.database, core.clock, members, node.association.editor, core.accounts, cards)
    invitations.when_back(lambda person, kind: welcome_back(node, person, kind))
    return invitations


def _services(node: Node, limits: RateLimits, interactive_auth: InteractiveAuth) -> WebServices:
    core, association = node.core, node.association
    worker = _worker(core, "paper", PAPER_LIMITS)
    sessions = WebSessions(core.database, core.clock, core.accounts.users)
    looks = core.accounts.looks
    passwords = app_passwords_of(core)
    common = common_services(node)
    reader = CircularReader(core.database, association.members, core.services.receipts)
    return WebServices(
        node=NodeServices(
            settings=core.settings, clock=core.clock, limits=limits, interactive_auth=interactive_auth,
            accounts=core.accounts, sessions=sessions, looks=looks,
            pushers=core.services.pushers, push_keys=late_push_keys(core), rooms=core.services.rooms,
            receipts=core.services.receipts, media=node.media, app_passwords=passwords,
            feeds=Feeds(core.database, core.clock),
        ),
        roster=RosterServices(
            members=association.members, editor=association.editor,
            exchange=RosterExchange(core.clock, association.members, association.editor),
            invitations=invitations_of(node), departures=departures_with(node, sessions, looks, passwords, common),
            papers=Papers(worker),
        ),
        safety=SafetyServices(
            checks=association.safety_checks, desk=SafetyDesk(core.database, association.members)
        ),
        polls=association.polls, slips=_slips(node, worker),
        polls_between=partial(polls_between, core.database, association.members, association.polls.results),
        examples=Examples(core.database, core.clock, association.members),
        circulars=CircularServices(
            verbs=association.circulars,
            reader=reader, stamps=Stamps(core.database, reader, core.services.sender),
            translations=translations_of(core), ledger=CircularLedger(core.database, association.members),
            planned=association.officers_work.planned, again=association.officers_work.again,
            pdf_reading=PdfReading(_worker(core, "pdf", PDF_LIMITS)),
        ),
        gatherings=gathering_services(node, worker),
        papers=StandingPapers(core.database, core.clock, association.members),
        daily=daily_services(core, association.members, association.daily_life),
        common=common,
        inquiries=association.inquiries.verbs,
        wide_area=lambda: _wide_area_pages(node),
        sharing=lambda: _sharing_pages(node),
        keeping=KeepingServices(
            facts=lambda: facts_of(node), handovers=lambda: handovers_of(core, association),
            trial=lambda: trial_of(node),
        ),
    )


async def _wide_area_pages(node: Node) -> WideAreaDesk:
    """Links with the city and others, loaded when an officer looks at them."""
    module = await asyncio.to_thread(importlib.import_module, "server.assembly.wide_area_pages")
    desk: WideAreaDesk = await module.open_wide_area_pages(node)
    return desk


async def _sharing_pages(node: Node) -> SharingDesk:
    """What neighbours share, loaded when somebody looks at it."""
    module = await asyncio.to_thread(importlib.import_module, "server.assembly.sharing_pages")
    desk: SharingDesk = await module.open_sharing_pages(node)
    return desk


def _slips(node: Node, printing: WorkerProcess) -> Slips:
    core, association = node.core, node.association
    reading = _worker(core, "slips", SLIP_LIMITS)
    on_paper = Print(core.settings.association.name, core.settings.http.public_url)
    return Slips(core.database, association.members, association.polls.results, printing, reading, on_paper)


def _worker(core: Core, name: str, limits: WorkerLimits) -> WorkerProcess:
    """A process for heavy work, which ends with the node."""
    worker = WorkerProcess(core.clock, name, limits)
    core.closing.push_async_callback(worker.close)
    return worker


def _pepper(core: Core) -> bytes:
    """A secret of this node that is nowhere in its database: it follows from the signing key."""
    return hashlib.blake2b(core.services.sender.identity.key.seed, person=b"invitations").digest()
