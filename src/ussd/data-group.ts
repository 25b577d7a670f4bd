// In: staff or an officer, and the group that is theirs. Out: what the screens show of the group, its meetings and its members by alias.
// Must never show an amount of one member, but to a treasurer whose programme allows it.
import { Decimal } from 'decimal.js'
import { addDays, type CalendarDate, localParts } from '../calendar.ts'
import { countOpenCases } from '../cases/cases.ts'
import { baseOf, textIn } from '../i18n.ts'
import { readGroupDues } from '../ledger/group-dues.ts'
import { type AttendanceRow, attendanceOf, firstLoanReadiness } from '../meetings/attendance.ts'
import { upcomingSessions } from '../meetings/trainings.ts'
import { groupsOfStaff, type WorkGroup } from '../members/own-groups.ts'
import { isStaffRole, seesAllGroups } from '../members/staff.ts'
import { minuteOf } from '../outbound/notice-text.ts'
import type { DataContext, Label, Line, LineValues, Samples, Source, View } from './data.ts'
import { whenAndWhere } from './data-meetings.ts'
import {
  chosenMeeting,
  groupIn,
  listWindow,
  meetingOfToday,
  nextMeeting,
  windowOf,
  windowStart,
} from './group-work.ts'

const nothing = () => ({})
const meetingSample = ({ date, time, place }: Samples) => ({ date, time, place })
const namesSample = ({ names }: Samples) => ({ names })

/** "G001 Jappo": the code parts groups of one name. */
const groupLabelMax = 24
export const groupLabel = ({ code, name }: WorkGroup): string =>
  [...`${code} ${name}`].slice(0, groupLabelMax).join('').trim()

const none: View = { lines: [{ name: 'none', values: {} }] }

/** What the screen says of a group that is theirs; otherwise that there is none. */
function ofGroup(load: (context: DataContext, group: WorkGroup) => Promise<View>): Source['load'] {
  return async (context) => {
    const group = await groupIn(context)
    return group === undefined ? none : load(context, group)
  }
}

const number = ({ i18n, language }: DataContext, value: number) => i18n.number(language, value)
const namesOf = (rows: readonly { alias: string }[]) => rows.map(({ alias }) => alias).join(', ')

const said = ['yes', 'no', null] as const
const lineOfWord = { yes: 'coming', no: 'not_coming' } as const

function byWord(rows: readonly AttendanceRow[]) {
  return said.map((word) => ({
    name: word === null ? 'silent' : lineOfWord[word],
    rows: rows.filter(({ announced }) => announced === word),
  }))
}

export const groupSources: Readonly<Record<string, Source>> = {
  /** What waits for the one who works here. */
  staff_cases: {
    texts: { cases: ({ count }) => ({ open: count, overdue: count }) },
    ofMember: false,
    behindPin: true,
    async load(context) {
      const { staffId, role } = context.dialogue
      if (staffId === undefined || !isStaffRole(role)) throw new RangeError('Only staff have cases')
      const { open, overdue } = await countOpenCases(context.db.pool, staffId, role, context.now)
      const values = { open: number(context, open), overdue: number(context, overdue) }
      return { lines: [{ name: 'cases', values }] }
    },
  },

  my_groups: {
    texts: { none: nothing, found: ({ place }) => ({ search: place }) },
    alone: ['none'],
    optionsMax: listWindow,
    labels: (_i18n, tag) => longLabels(tag, 'W'.repeat(groupLabelMax)),
    facts: ['has_next', 'sees_all'],
    ofMember: false,
    behindPin: true,
    async load(context) {
      const { staffId, role, noted } = context.dialogue
      if (staffId === undefined) throw new RangeError('Only staff have groups')
      const asked = {
        programmeId: context.programme.id,
        staffId,
        search: noted.search,
        limit: listWindow + 1,
      }
      const from = windowStart(context.dialogue)
      let rows = await groupsOfStaff(context.db.pool, { ...asked, offset: from })
      // Behind the end the list begins again.
      if (rows.length === 0 && from > 0) rows = await groupsOfStaff(context.db.pool, asked)
      const facts = rows.length > listWindow || from > 0 ? ['has_next'] : []
      if (seesAllGroups(role)) facts.push('sees_all')
      const lines: Line[] =
        rows.length === 0
          ? none.lines
          : noted.search === undefined
            ? []
            : [{ name: 'found', values: { search: noted.search } }]
      const options = rows
        .slice(0, listWindow)
        .map((group) => ({ value: group.id, label: groupLabel(group), labelLanguage: context.language }))
      return { lines, options, facts }
    },
  },

  my_group: {
    texts: { none: nothing, heading: () => ({ group: 'W'.repeat(groupLabelMax) }) },
    alone: ['none'],
    facts: ['has_group'],
    ofMember: false,
    behindPin: true,
    load: ofGroup((_context, group) =>
      Promise.resolve({
        lines: [{ name: 'heading', values: { group: groupLabel(group) } }],
        facts: ['has_group'],
      }),
    ),
  },

  /** The next meeting, and how many said that they come. */
  group_meeting: {
    texts: {
      none: nothing,
      no_meeting: nothing,
      meeting: meetingSample,
      announced: ({ count }) => ({ yes: count, no: count, silent: count }),
    },
    alone: ['none', 'no_meeting'],
    facts: ['has_meeting', 'meeting_today'],
    ofMember: false,
    behindPin: true,
    load: ofGroup(async (context, group) => {
      const [next, today] = await Promise.all([
        nextMeeting(context, group.id),
        meetingOfToday(context, group.id),
      ])
      const facts = today === undefined ? [] : ['meeting_today']
      if (next === undefined) return { lines: [{ name: 'no_meeting', values: {} }], facts }
      const [yes = 0, no = 0, silent = 0] = byWord(
        await attendanceOf(context.db.pool, { meetingId: next.id }),
      ).map(({ rows }) => rows.length)
      const counts = { yes: number(context, yes), no: number(context, no), silent: number(context, silent) }
      return {
        lines: [
          { name: 'meeting', values: whenAndWhere(context, next) },
          { name: 'announced', values: counts },
        ],
        facts: [...facts, 'has_meeting'],
        subject: next.id,
      }
    }),
  },

  /** The one that is about to be moved or cancelled. */
  chosen_meeting: {
    texts: { none: nothing, meeting: meetingSample },
    alone: ['none'],
    facts: ['has_meeting'],
    ofMember: false,
    behindPin: true,
    async load(context) {
      const meeting = await chosenMeeting(context)
      if (meeting === undefined || meeting.status !== 'planned') return none
      return { lines: [{ name: 'meeting', values: whenAndWhere(context, meeting) }], facts: ['has_meeting'] }
    },
  },

  /** Where it is to be moved, before that is done. */
  new_hour: {
    texts: { none: nothing, ask: ({ date, time }) => ({ date, time }) },
    alone: ['none'],
    ofMember: false,
    behindPin: true,
    load({ dialogue, i18n, language }) {
      const { move_day: day, move_time: time } = dialogue.noted
      const minute = time === undefined ? undefined : minuteOf(time)
      if (day === undefined || minute === undefined) return Promise.resolve(none)
      const values = { date: i18n.date(language, day), time: i18n.time(language, minute) }
      return Promise.resolve({ lines: [{ name: 'ask', values }] })
    },
  },

  /** Who said that she comes, who does not, and who said nothing. */
  announced: {
    texts: {
      none: nothing,
      no_meeting: nothing,
      coming: namesSample,
      not_coming: namesSample,
      silent: namesSample,
    },
    alone: ['none', 'no_meeting'],
    ofMember: false,
    behindPin: true,
    load: ofGroup(async (context, group) => {
      const next = await nextMeeting(context, group.id)
      if (next === undefined) return { lines: [{ name: 'no_meeting', values: {} }] }
      const lines = byWord(await attendanceOf(context.db.pool, { meetingId: next.id })).flatMap(
        ({ name, rows }) => (rows.length === 0 ? [] : [{ name, values: { names: namesOf(rows) } }]),
      )
      return { lines }
    }),
  },

  /** Who came today; choosing one turns her the other way. The option's value says what will be, so twice is once. */
  attendance: {
    texts: { none: nothing, no_meeting: nothing, came: ({ count }) => ({ came: count, total: count }) },
    alone: ['none', 'no_meeting'],
    optionTexts: { here: aliasSample, absent: aliasSample, open: aliasSample },
    optionsMax: listWindow,
    facts: ['has_next', 'has_open'],
    ofMember: false,
    behindPin: true,
    load: ofGroup(async (context, group) => {
      const meeting = await meetingOfToday(context, group.id)
      if (meeting === undefined) return { lines: [{ name: 'no_meeting', values: {} }] }
      const all = await attendanceOf(context.db.pool, { meetingId: meeting.id })
      const { rows, facts } = windowOf(context.dialogue, all)
      const came = all.filter(({ attended }) => attended === true).length
      return {
        lines: [
          { name: 'came', values: { came: number(context, came), total: number(context, all.length) } },
        ],
        options: rows.map(({ memberId, alias, attended }) => ({
          value: `${memberId}:${attended === true ? 'no' : 'yes'}`,
          name: attended === null ? 'open' : attended ? 'here' : 'absent',
          values: { alias },
        })),
        facts: all.some(({ attended }) => attended === null) ? [...facts, 'has_open'] : facts,
        subject: meeting.id,
      }
    }),
  },

  /** Who has attended every first session, and how far the others are. */
  first_loans: {
    texts: {
      none: nothing,
      nobody: nothing,
      ready: namesSample,
      under_way: ({ longNames }) => ({ names: longNames }),
    },
    alone: ['none', 'nobody'],
    ofMember: false,
    behindPin: true,
    load: ofGroup(async (context, group) => {
      const rows = (await firstLoanReadiness(context.db.pool, group.id)).filter(({ borrowed }) => !borrowed)
      const ready = rows.filter((row) => row.ready)
      const others = rows.filter((row) => !row.ready)
      if (rows.length === 0) return { lines: [{ name: 'nobody', values: {} }] }
      const far = others.map(
        ({ alias, attended, needed }) => `${alias} ${number(context, attended)}/${number(context, needed)}`,
      )
      return {
        lines: [
          ...(ready.length === 0 ? [] : [{ name: 'ready', values: { names: namesOf(ready) } }]),
          ...(far.length === 0 ? [] : [{ name: 'under_way', values: { names: far.join(', ') } }]),
        ],
      }
    }),
  },

  /** For the treasurer: what falls due until the next meeting in all, and member by member where the programme allows it. */
  group_dues: {
    linesMax: 30,
    texts: {
      none: nothing,
      total: ({ amount, date, count }) => ({ amount, date, count }),
      member: ({ alias, amount }) => ({ alias, amount }),
    },
    alone: ['none', 'total'],
    ofMember: false,
    behindPin: true,
    load: ofGroup(async (context, group) => {
      const { db, i18n, programme, language, now } = context
      const meeting = await nextMeeting(context, group.id)
      const today = localParts(now, programme.timeZone).date
      // Without a meeting ahead: the month to come.
      const until: CalendarDate =
        meeting === undefined ? addDays(today, 30) : localParts(meeting.startsAt, programme.timeZone).date
      const [dues, allowed] = await Promise.all([
        readGroupDues(db.pool, group.id, until),
        db.pool.query<{ allowed: boolean }>(
          'select treasurer_sees_members as allowed from programmes where id = $1',
          [programme.id],
        ),
      ])
      const amount = (value: Decimal) => i18n.amount(language, value, programme.currencyCode)
      const total = dues.reduce((sum, { due }) => sum.plus(due), new Decimal(0))
      const lines: Line[] = [
        {
          name: 'total',
          values: {
            amount: amount(total),
            date: i18n.date(language, until),
            count: number(context, dues.length),
          },
        },
      ]
      if (allowed.rows[0]?.allowed === true)
        for (const { alias, due } of dues)
          lines.push({ name: 'member', values: { alias, amount: amount(due) } })
      return { lines }
    }),
  },

  /** For the educator: what the group is taught next, with the sentences to read out. */
  lesson: {
    linesMax: 10,
    texts: {
      none: nothing,
      no_lesson: nothing,
      lesson: (sample) => ({ ...meetingSample(sample), title: sample.title }),
      message: ({ sentence }) => ({ sentence }),
    },
    alone: ['none', 'no_lesson', 'lesson'],
    ofMember: false,
    behindPin: true,
    load: ofGroup(async (context, group) => {
      const [session] = await upcomingSessions(context.db.pool, group.id, context.now, 1)
      if (session === undefined) return { lines: [{ name: 'no_lesson', values: {} }] }
      const { language, programme } = context
      const title = textIn(session.titles, language, programme.languages[0])
      const sentences = sentencesIn(session.keyMessages, language, programme.languages[0])
      return {
        lines: [
          { name: 'lesson', values: { ...whenAndWhere(context, session), title } },
          ...sentences.map((sentence) => ({ name: 'message', values: { sentence } })),
        ],
      }
    }),
  },
}

function aliasSample({ alias }: Samples): LineValues {
  return { alias }
}

/** Labels as long as data can bring them. */
function longLabels(tag: string, label: string): Label[] {
  return Array.from({ length: listWindow }, () => ({ label, labelLanguage: tag }))
}

/** In her language, else the programme's first, else any. */
function sentencesIn(
  messages: Readonly<Record<string, readonly string[]>>,
  ...tags: readonly (string | undefined)[]
): readonly string[] {
  for (const tag of tags) {
    const found = tag === undefined ? undefined : (messages[tag] ?? messages[baseOf(tag)])
    if (found !== undefined && found.length > 0) return found
  }
  return Object.values(messages).find((found) => found.length > 0) ?? []
}
