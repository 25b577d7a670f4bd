// In: a form with a file, as it arrives. Out: its fields, and the file on disk. Must never hold a file in memory, nor leave one behind.
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Busboy } from '@fastify/busboy'
import type { Request } from 'express'
import type { UploadedFile } from './page.ts'

/** A row for each of a million entries fits. */
export const fileBytesMax = 50 * 1024 * 1024

export interface Upload {
  fields: Record<string, string[]>
  file: UploadedFile | undefined
  tooLarge: boolean
  remove(): Promise<void>
}

/** Rejects with a status of 400 when the form cannot be read. */
export async function receiveFile(request: Request): Promise<Upload> {
  const folder = await mkdtemp(join(tmpdir(), 'tama-upload-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    return { ...(await readForm(request, join(folder, 'file'))), remove }
  } catch (error) {
    await remove()
    throw Object.assign(new Error('the form cannot be read', { cause: error }), { status: 400 })
  }
}

async function readForm(request: Request, path: string): Promise<Omit<Upload, 'remove'>> {
  const contentType = request.get('content-type') ?? ''
  const fields: Record<string, string[]> = {}
  let name: string | undefined
  let tooLarge = Number(request.get('content-length') ?? 0) > fileBytesMax + 65_536
  // What is surely too large is not even read; the connection ends with the answer.
  if (tooLarge) return { fields, file: undefined, tooLarge }
  const reader = new Busboy({
    headers: { ...request.headers, 'content-type': contentType },
    limits: { files: 1, fileSize: fileBytesMax, fields: 20, fieldSize: 10_000, parts: 22 },
  })
  let writing: Promise<void> = Promise.resolve()
  reader.on('field', (field, value) => {
    fields[field] = [...(fields[field] ?? []), value.replaceAll('\0', '')]
  })
  reader.on('file', (_field, stream, filename) => {
    name = filename
    stream.on('limit', () => {
      tooLarge = true
    })
    writing = pipeline(stream, createWriteStream(path))
    writing.catch(() => undefined)
  })
  await pipeline(request, reader)
  await writing
  if (name === undefined || name === '') return { fields, file: undefined, tooLarge }
  return { fields, file: { path, name, bytes: (await stat(path)).size }, tooLarge }
}
