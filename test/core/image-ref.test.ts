import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { imagePartsOf, parseImageRef, printImageRef } from '../../src/core/image-ref.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

describe('Image references', () => {
  const good: readonly [string, string, string, (string | undefined)?, string?][] = [
    ['nginx', 'docker.io', 'library/nginx'],
    ['nginx:1.27', 'docker.io', 'library/nginx', '1.27'],
    ['docker.io/nginx:1', 'docker.io', 'library/nginx', '1'],
    ['org/driver:v1', 'docker.io', 'org/driver', 'v1'],
    ['some.registry/org/my-kmod:6.0.15-300.fc37.x86_64', 'some.registry', 'org/my-kmod', '6.0.15-300.fc37.x86_64'],
    ['host:5000/img', 'host:5000', 'img'],
    ['host:5000/img:tag', 'host:5000', 'img', 'tag'],
    ['[fd00::1]:5000/a/b:t', '[fd00::1]:5000', 'a/b', 't'],
    [`quay.io/org/driver@${digest}`, 'quay.io', 'org/driver', undefined, digest],
    [`quay.io/org/driver:v1@${digest}`, 'quay.io', 'org/driver', 'v1', digest],
    [`host:5000/org/driver@${digest}`, 'host:5000', 'org/driver', undefined, digest],
    ['example.org/a__b/c-d.e:_x', 'example.org', 'a__b/c-d.e', '_x'],
  ]
  for (const [text, registry, repository, tag, sum] of good) {
    it(`${text} is ${repository} of ${registry}`, () => {
      const ref = parseImageRef(text)
      assert.ok(!('error' in ref))
      assert.deepEqual([ref.registry, ref.repository, ref.tag, ref.digest], [registry, repository, tag, sum])
      assert.equal(printImageRef(ref), text)
    })
  }

  const bad: readonly [string, RegExp][] = [
    ['', /empty/],
    ['a b', /white space/],
    ['org/driver:', /tag ""/],
    ['org/driver:a+b', /tag "a\+b"/],
    ['org/driver:-x', /tag "-x"/],
    [`org/driver:${'a'.repeat(129)}`, /1 to 128/],
    ['org/Driver:v1', /"Driver".*lower-case/],
    ['org//driver', /"" in the repository/],
    ['host:5000/', /2 to 255/],
    ['x', /2 to 255/],
    [`h.io/${'ab/'.repeat(90)}c`, /2 to 255/],
    ['bad_host.x:1/img', /registry "bad_host.x:1"/],
    ['org/driver@sha256:1234', /digest "sha256:1234"/],
    [`org/driver@${digest.toUpperCase()}`, /digest/],
    [`org/driver@md5:${'0'.repeat(64)}`, /digest/],
    ['https://example.org/img', /registry "https:"/],
  ]
  for (const [text, words] of bad) {
    it(`${JSON.stringify(text.slice(0, 40))} is refused with a sentence that names the part`, () => {
      const ref = parseImageRef(text)
      assert.ok('error' in ref)
      assert.match(ref.error, words)
    })
  }

  it('any string survives being cut into parts and printed again', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ':', '/', '@', '.', '5') })
    fc.assert(fc.property(text, t => printImageRef(imagePartsOf(t)) === t))
  })
})
