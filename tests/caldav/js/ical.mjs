// Reads an .ics file from the standard input with ical.js, which Thunderbird has inside, and tells what is in it.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
const events = calendar.getAllSubcomponents("vevent").map((part) => new ICAL.Event(part));
console.log(JSON.stringify({
  name: calendar.getFirstPropertyValue("x-wr-calname"),
  zones: calendar.getAllSubcomponents("vtimezone").map((zone) => zone.getFirstPropertyValue("tzid")),
  events: events.map((event) => [event.summary, event.startDate.toString(), event.isRecurring()]),
}));
