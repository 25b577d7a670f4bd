// What global-setup.ts hands to every test file.
import 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    adminUrl: string
  }
}
