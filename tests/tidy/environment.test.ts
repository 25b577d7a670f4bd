// What the environment may say stands in three files, which must agree: config.ts, .env.example and docker-compose.yml.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '..', '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

interface Service {
  image?: string
  command?: string[]
  environment?: Record<string, string>
  deploy?: { replicas: number }
  healthcheck?: { test?: string[]; disable?: boolean }
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  depends_on?: Record<string, { condition: string }>
}

const names = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map((match) => match[1] ?? '').sort()
const known = names(read('src/config.ts'), /^ {2}([A-Z][A-Z_]+): optional/gm)
const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> }

describe('the environment', () => {
  it('.env.example names what config.ts reads, and the one password of the compose file', () => {
    expect(known.length).toBeGreaterThan(10)
    expect(names(read('.env.example'), /^([A-Z_]+)=/gm)).toEqual([...known, 'POSTGRES_PASSWORD'].sort())
  })

  it('the compose file sets only names that config.ts reads', () => {
    for (const service of ['migrate', 'web', 'worker', 'planner'])
      for (const name of Object.keys(compose.services[service]?.environment ?? {}))
        expect(known).toContain(name)
  })

  it('the compose file runs the roles as the architecture says, each with a health check', () => {
    const { services } = compose
    expect(Object.keys(services).sort()).toEqual([
      'migrate',
      'planner',
      'postgres',
      'valkey',
      'web',
      'worker',
    ])
    expect(services.web).toMatchObject({ command: ['serve', 'web'], deploy: { replicas: 2 } })
    expect(services.worker).toMatchObject({ command: ['serve', 'worker'], deploy: { replicas: 2 } })
    expect(services.planner).toMatchObject({ command: ['serve', 'planner'] })
    expect(services.migrate).toMatchObject({ command: ['migrate'] })
    expect(services.postgres?.image).toBe('postgres:18')
    expect(services.valkey?.image).toBe('valkey/valkey:8')
    for (const name of ['web', 'worker', 'planner', 'postgres', 'valkey'])
      expect(services[name]?.healthcheck?.test, name).toBeDefined()
    for (const name of ['web', 'worker', 'planner'])
      expect(services[name]?.depends_on?.migrate?.condition).toBe('service_completed_successfully')
  })

  it('containers run without root, without capabilities and on a file system that cannot be written', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service.security_opt, name).toEqual(['no-new-privileges:true'])
      if (name !== 'postgres' && name !== 'valkey')
        expect(service, name).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
    }
    // The last user that the image names is the one that runs.
    expect([...read('Dockerfile').matchAll(/^USER (.*)$/gm)].at(-1)?.[1]).toBe('node')
  })

  it('no secret has a default', () => {
    expect(read('docker-compose.yml')).not.toMatch(/(SECRET|PEPPER|KEY|PASSWORD):-[^}]/)
    expect(read('.env.example')).toMatch(/^CALLBACK_SECRET=$/m)
  })
})
