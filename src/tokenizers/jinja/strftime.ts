import { refuse } from "./template-error.ts";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAY_MS = 86_400_000;

function two(value: number, fill = "0"): string {
  return String(value).padStart(2, fill);
}

function dayOfYear(date: Date): number {
  const day = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((day - Date.UTC(date.getFullYear(), 0, 1)) / DAY_MS);
}

/** Weeks of the year before the date, the first of which begins with its first `firstDay`. */
function weekOfYear(date: Date, firstDay: number): number {
  const weekday = (date.getDay() - firstDay + 7) % 7;
  return Math.floor((dayOfYear(date) + 7 - weekday) / 7);
}

/** The year and week after ISO 8601, where a week belongs to the year of its Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const weekday = (date.getDay() + 6) % 7;
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate() - weekday + 3);
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

function hour12(date: Date): number {
  return date.getHours() % 12 || 12;
}

/** What each letter after `%` writes, in the C locale and without a time zone, as Python has it. */
const WRITE: Readonly<Record<string, (date: Date) => string>> = {
  "%": () => "%",
  A: (date) => DAYS[date.getDay()] ?? "",
  a: (date) => (DAYS[date.getDay()] ?? "").slice(0, 3),
  B: (date) => MONTHS[date.getMonth()] ?? "",
  b: (date) => (MONTHS[date.getMonth()] ?? "").slice(0, 3),
  C: (date) => two(Math.floor(date.getFullYear() / 100)),
  c: (date) => strftime("%a %b %e %H:%M:%S %Y", date),
  D: (date) => strftime("%m/%d/%y", date),
  d: (date) => two(date.getDate()),
  e: (date) => two(date.getDate(), " "),
  F: (date) => strftime("%Y-%m-%d", date),
  f: (date) => String(date.getMilliseconds() * 1000).padStart(6, "0"),
  G: (date) => String(isoWeek(date).year),
  g: (date) => two(isoWeek(date).year % 100),
  H: (date) => two(date.getHours()),
  h: (date) => strftime("%b", date),
  I: (date) => two(hour12(date)),
  j: (date) => String(dayOfYear(date) + 1).padStart(3, "0"),
  k: (date) => two(date.getHours(), " "),
  l: (date) => two(hour12(date), " "),
  M: (date) => two(date.getMinutes()),
  m: (date) => two(date.getMonth() + 1),
  n: () => "\n",
  P: (date) => (date.getHours() < 12 ? "am" : "pm"),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  R: (date) => strftime("%H:%M", date),
  r: (date) => strftime("%I:%M:%S %p", date),
  S: (date) => two(date.getSeconds()),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  T: (date) => strftime("%H:%M:%S", date),
  t: () => "\t",
  U: (date) => two(weekOfYear(date, 0)),
  u: (date) => String(date.getDay() || 7),
  V: (date) => two(isoWeek(date).week),
  W: (date) => two(weekOfYear(date, 1)),
  w: (date) => String(date.getDay()),
  X: (date) => strftime("%H:%M:%S", date),
  x: (date) => strftime("%m/%d/%y", date),
  Y: (date) => String(date.getFullYear()),
  y: (date) => two(date.getFullYear() % 100),
  Z: () => "",
  z: () => "",
};

/** Letters of which `%-d` and its likes write no leading zero or space. */
const NUMBERS = "CdegHIjklMmSUVWuwyGYs";

/** Python's `date.strftime(format)` in local time. */
export function strftime(format: string, date: Date): string {
  return format.replaceAll(/%(-?)([^]?)/g, (whole, dash: string, letter: string) => {
    const write = Object.hasOwn(WRITE, letter) ? WRITE[letter] : undefined;
    if (write === undefined || (dash === "-" && !NUMBERS.includes(letter))) {
      return refuse(`${whole} in strftime_now`);
    }
    const text = write(date);
    return dash === "" ? text : text.replace(/^[0 ]+(?=.)/, "");
  });
}
