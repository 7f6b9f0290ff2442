// A resident's day with tsdav: finds the calendars, writes, reads, synchronises and removes. Prints one JSON a check.
// Its world (address, name, app password) comes in KAIRAN_WORLD.

import { createDAVClient, freeBusyQuery, getBasicAuthHeaders } from "tsdav";

const world = JSON.parse(process.env.KAIRAN_WORLD);
const credentials = { username: world.name, password: world.password };

function check(sentence, holds, seen) {
    if (!holds) {
        console.log(JSON.stringify({ failed: sentence, seen }));
        process.exit(1);
    }
    console.log(JSON.stringify({ check: sentence }));
}

function entry(uid, ...lines) {
    return ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//tsdav//EN", "BEGIN:VEVENT", `UID:${uid}`,
        "DTSTAMP:20260101T000000Z", ...lines, "END:VEVENT", "END:VCALENDAR", ""].join("\r\n");
}

const client = await createDAVClient({
    serverUrl: world.url, credentials, authMethod: "Basic", defaultAccountType: "caldav",
});
const calendars = await client.fetchCalendars();
check("the calendars are found from the bare address", calendars.some((one) => one.url.endsWith("/personal/")), calendars);
check("each holds one kind of entry", calendars.every((one) => one.components.length === 1), calendars);
check("each can be synchronised", calendars.every((one) => one.reports.includes("syncCollection")), calendars);

const personal = calendars.find((one) => one.url.endsWith("/personal/"));
const made = await client.makeCalendar({
    url: personal.url.replace("/personal/", "/tsdav/"),
    props: { displayname: "釣り", "ca:calendar-color": "#FF0000FF" },
});
check("a calendar is made", made[0].ok, made);
const calendar = (await client.fetchCalendars()).find((one) => one.url.endsWith("/tsdav/"));
check("it has its name", calendar?.displayName === "釣り", calendar);

const once = entry("once", "DTSTART:20261123T010000Z", "DTEND:20261123T020000Z", "SUMMARY:一度");
const weekly = entry("weekly", "DTSTART;TZID=Asia/Tokyo:20261102T190000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY",
    "EXDATE;TZID=Asia/Tokyo:20261109T190000", "SUMMARY:毎週");
for (const [name, iCalString] of [["once.ics", once], ["weekly.ics", weekly]]) {
    const answer = await client.createCalendarObject({ calendar, filename: name, iCalString });
    check(`${name} is written`, answer.status === 201, answer.status);
}
const again = await client.createCalendarObject({ calendar, filename: "once.ics", iCalString: once });
check("nothing is overwritten unseen", again.status === 412, again.status);

const month = { start: "2026-11-01T00:00:00Z", end: "2026-12-01T00:00:00Z" };
const seen = await client.fetchCalendarObjects({ calendar, timeRange: month });
check("a month is read", seen.length === 2 && seen.every((one) => one.etag && one.data), seen);
const day = await client.fetchCalendarObjects({
    calendar, timeRange: { start: "2026-11-09T00:00:00Z", end: "2026-11-10T00:00:00Z" },
});
check("an excluded day is free", day.length === 0, day);
const expanded = await client.fetchCalendarObjects({ calendar, timeRange: month, expand: true });
const starts = expanded.map((one) => one.data.match(/DTSTART/g).length).sort();
check("a series is written out", JSON.stringify(starts) === "[1,4]", expanded);

const listed = await client.calendarMultiGet({
    url: calendar.url, depth: "1", props: { "d:getetag": {}, "c:calendar-data": {} },
    objectUrls: seen.map((one) => new URL(one.url).pathname),
});
check("entries are fetched by their addresses", listed.filter((one) => one.props?.calendarData).length === 2, listed);

const old = seen.find((one) => one.url.endsWith("once.ics"));
const changed = { ...old, data: once.replace("一度", "もう一度") };
check("an entry is changed", (await client.updateCalendarObject({ calendarObject: changed })).ok);
const stale = await client.updateCalendarObject({ calendarObject: changed });
check("who is behind is told so", stale.status === 412, stale.status);

const dirty = await client.isCollectionDirty({ collection: calendar });
check("a change shows in the CTag", dirty.isDirty, dirty);
const first = await client.syncCollection({
    url: calendar.url, props: { "d:getetag": {} }, syncLevel: 1, syncToken: "",
});
check("synchronising begins with everything", first.filter((one) => one.href?.endsWith(".ics")).length === 2, first);
const synced = await client.smartCollectionSync({
    collection: { ...calendar, objects: [], objectMultiGet: client.calendarMultiGet }, method: "webdav", detailedResult: true,
});
check("synchronising fills an empty app", synced.objects.created.length === 2, synced.objects);

const busy = await freeBusyQuery({
    url: calendar.url, timeRange: { start: "2026-11-23T00:00:00Z", end: "2026-11-24T00:00:00Z" },
    headers: getBasicAuthHeaders(credentials), depth: "0",
});
check("busy times are told", busy !== undefined, busy);

const fresh = await client.fetchCalendarObjects({ calendar });
for (const calendarObject of fresh) {
    check(`${calendarObject.url.split("/").at(-1)} is removed`,
        (await client.deleteCalendarObject({ calendarObject })).status === 204);
}
check("nothing is left", (await client.fetchCalendarObjects({ calendar })).length === 0);
check("the calendar is removed", (await client.deleteObject({ url: calendar.url })).status === 204);
console.log(JSON.stringify({ done: true }));
