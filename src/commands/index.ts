// Every command, in the order of `tama --help`. A new one is a file here and a line below.
import { registerApiKey } from './api-key.ts'
import { registerCallbackSecret } from './callback-secret.ts'
import type { Register } from './command.ts'
import { registerConsoleCode } from './console-code.ts'
import { registerCost } from './cost.ts'
import { registerHolidays } from './holidays.ts'
import { registerImport } from './import.ts'
import { registerMenus } from './menus.ts'
import { registerMessages } from './messages.ts'
import { registerMigrate } from './migrate.ts'
import { registerNotices } from './notices.ts'
import { registerOutbox } from './outbox.ts'
import { registerPinReset } from './pin-reset.ts'
import { registerPrivacy } from './privacy.ts'
import { registerProgramme } from './programme.ts'
import { registerSeed } from './seed.ts'
import { registerServe } from './serve.ts'
import { registerVerify } from './verify.ts'

export const commands: readonly Register[] = [
  registerServe,
  registerMigrate,
  registerSeed,
  registerProgramme,
  registerHolidays,
  registerImport,
  registerMenus,
  registerApiKey,
  registerMessages,
  registerNotices,
  registerOutbox,
  registerCost,
  registerPinReset,
  registerCallbackSecret,
  registerConsoleCode,
  registerVerify,
  registerPrivacy,
]
