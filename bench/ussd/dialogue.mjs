// Screens and the one read that all hand-written variants share.
export const screens = {
  home: 'FANSOTO\n1 My money\n2 My group\n3 Help',
  money: 'My money\n1 My loan\n2 My savings\n0 Back',
  loans: 'My loan\n1 What I owe\n2 Schedule\n0 Back',
  balance: (row) => `You owe: ${row.outstanding}\nNext: ${row.next_due} ${row.next_amount}`,
}

export const balanceQuery = {
  name: 'balance',
  text: 'select outstanding, next_due, next_amount from bench_balances where msisdn = $1',
}
