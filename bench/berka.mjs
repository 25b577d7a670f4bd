// In: the files of the Berka bank (PKDD'99). Out: the same facts as import files for a programme in CZK. The data are never shipped.
// Accounts become members with a savings book, a transaction an entry against cash, a loan one with monthly instalments.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..', '..', 'shared', 'data', 'berka')

/** Undefined where the data are not there. */
export const berkaFolder = existsSync(join(folder, 'trans.asc')) ? folder : undefined

function readRows(name) {
  const [, ...lines] = readFileSync(join(folder, name), 'utf8').split(/\r?\n/)
  return lines.filter((line) => line !== '').map((line) => line.replaceAll('"', '').split(';'))
}

const dateOf = (yymmdd) => `19${yymmdd.slice(0, 2)}-${yymmdd.slice(2, 4)}-${yymmdd.slice(4)}`

/** Writes members.csv, loans.csv and entries.csv into a folder. */
export function writeBerkaFiles(target) {
  const write = (name, lines) => {
    const file = join(target, `${name}.csv`)
    writeFileSync(file, `${lines.join('\n')}\n`)
    return file
  }
  const transactions = readRows('trans.asc')
  return {
    members: write('members', memberLines()),
    loans: write('loans', loanLines()),
    entries: write('entries', entryLines(transactions)),
    transactions: transactions.length,
  }
}

function memberLines() {
  const owners = readRows('disp.asc').filter(([, , , type]) => type === 'OWNER')
  return [
    'number,first_name,last_name',
    ...owners.map(([, client, account]) => `${account},Client,${client}`),
  ]
}

function loanLines() {
  const lines = ['number,member,product,principal,disbursed_date,due_date,principal_due']
  for (const [loan, account, date, amount, months, payment] of readRows('loan.asc'))
    for (let month = 1; month <= Number(months); month += 1)
      lines.push(
        `${loan},${account},standard,${amount},${dateOf(date)},${monthsAfter(dateOf(date), month)},${payment}`,
      )
  return lines
}

function monthsAfter(date, months) {
  const [year, month, day] = date.split('-').map(Number)
  const lastDay = new Date(Date.UTC(year, month + months, 0)).getUTCDate()
  return new Date(Date.UTC(year, month - 1 + months, Math.min(day, lastDay))).toISOString().slice(0, 10)
}

function entryLines(transactions) {
  const lines = ['reference,kind,booked_date,description,account,debit,credit']
  for (const [id, account, date, type, operation, amount] of transactions) {
    const isDeposit = type === 'PRIJEM'
    const head = `berka/${id},${isDeposit ? 'savings_deposit' : 'savings_withdrawal'},${dateOf(date)},${operation}`
    const [debited, credited] = isDeposit ? ['cash', `savings/${account}`] : [`savings/${account}`, 'cash']
    lines.push(`${head},${debited},${amount},`, `${head},${credited},,${amount}`)
  }
  return lines
}
