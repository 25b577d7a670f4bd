// In: a text that somebody means to send. Out: how phones get it, what it costs, and which letters make it cost that. Must never send or keep it.
import { Decimal } from 'decimal.js'
import type { z } from 'zod'
import type { Queryable } from '../db.ts'
import { estimateSms, spell } from '../encoding.ts'
import { RequestError } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import type { Answer, estimateAnswer, estimateSchema } from './api-schemas.ts'
import type { ApiCaller } from './keys.ts'

export async function estimateText(
  tx: Queryable,
  i18n: Pick<I18n, 'languages'>,
  caller: ApiCaller,
  { text, language }: z.infer<typeof estimateSchema>,
): Promise<Answer<z.infer<typeof estimateAnswer>>> {
  const info = language === undefined ? undefined : i18n.languages.get(language)
  if (language !== undefined && info === undefined)
    throw new RequestError('request.field_invalid', {
      field: 'language',
      detail: `must be one of ${[...i18n.languages.keys()].join(', ')}`,
    })
  const spelled = spell(text, info?.gsm7 ?? null)
  const { over, ...estimate } = estimateSms(spelled)
  const price = await priceOf(tx, caller)
  return {
    status: 200,
    body: {
      text: spelled,
      ...estimate,
      over: over ?? null,
      cost:
        price === undefined
          ? null
          : {
              amount: new Decimal(price.amount).times(estimate.segments).toFixed(),
              currency: price.currency,
            },
    },
  }
}

async function priceOf(tx: Queryable, { programmeId }: ApiCaller) {
  const { rows } = await tx.query<{ amount: string; currency: string }>(
    `select segment_price::text as amount, segment_currency as currency from programmes
      where id = $1 and segment_price is not null`,
    [programmeId],
  )
  return rows[0]
}
