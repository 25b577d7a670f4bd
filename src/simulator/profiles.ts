// In: a demo programme's name. Out: its settings, read from its file, with the people and sums that fill it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readDescription } from '../imports/programme.ts'
import type { LocalProfile, Profile, ProfileName } from './profile.ts'
import { belgium } from './programmes/belgium.ts'
import { casamance } from './programmes/casamance.ts'
import { france } from './programmes/france.ts'
import { haiti } from './programmes/haiti.ts'
import { quebec } from './programmes/quebec.ts'

const local: Readonly<Record<ProfileName, LocalProfile>> = { casamance, haiti, belgium, france, quebec }

/** From the source tree in both cases: this file runs as src/simulator/profiles.ts or dist/simulator/profiles.js. */
export const profileFile = (name: ProfileName): string =>
  fileURLToPath(new URL(`../../src/simulator/programmes/${name}.yaml`, import.meta.url))

export function readProfile(name: ProfileName): Profile {
  return { name, ...local[name], programme: readDescription(readFileSync(profileFile(name), 'utf8')) }
}
