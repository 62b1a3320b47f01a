// `npm run generate`: writes what we ship into config/, and removes there what is no longer generated.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generatedFiles, generatedFolders } from './generated.ts'

const root = join(import.meta.dirname, '../..')
const files = generatedFiles()
const paths = new Set(files.map(file => file.path))

for (const folder of generatedFolders) {
  mkdirSync(join(root, folder), { recursive: true })
  for (const name of readdirSync(join(root, folder))) {
    if (!paths.has(`${folder}/${name}`)) rmSync(join(root, folder, name), { recursive: true })
  }
}
for (const { path, text } of files) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
