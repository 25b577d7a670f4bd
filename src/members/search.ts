// In: words that somebody looks for. Out: the condition under which a member "m" is found by them.

/**
 * By the beginning of her number, alias, first or last name; capitals and accents do not count. Each comparison can use an index of its
 * own, also behind row-level security. `words` is a placeholder such as "$2".
 */
export const beginsSql = (words: string): string => `
  m.plain_number ^@ plain_form(${words}) or m.plain_alias ^@ plain_form(${words}) or m.plain_name ^@ plain_form(${words})
  or m.plain_reversed ^@ plain_form(${words})`
