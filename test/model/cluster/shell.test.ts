import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { createBench } from './run-script.ts'

// Each script ends, waits at most a moment, and touches only its own directory.
const scripts: readonly string[] = [
  'echo hello; echo "a  b"   c',
  "printf '%s\\n' 'single $x' \"double $HOME_NOT_SET\"",
  'x=1; y=$x$x; echo $y "${y}" \'${y}\'',
  'echo a\\ b "c\\"d" \'e\'"f"',
  'x="a b  c"; for w in $x; do echo "<$w>"; done; for w in "$x"; do echo "<$w>"; done',
  'set -- a "b c" ""; echo $#; for a; do echo "[$a]"; done; for a in "$@"; do echo "<$a>"; done; for a in $*; do echo "{$a}"; done',
  'set -- 1 2 3; shift; echo "$1" "$#" "$*"',
  'echo ${x:-default} ${x-unset} "${x:+set}"; x=; echo "${x:-empty}" "${x-unset}" "${x+set}"; echo "${y:=assigned}" $y',
  'x=/opt/lib/modules/6.1/a.ko; echo ${x#*/} ${x##*/} ${x%.ko} ${x%%/*} ${#x}',
  'x=12.34; echo ${x%.*} ${x#*.}; y="*"; x="a*b*c"; echo "${x#*"$y"}"',
  'x=$(echo one; echo two); echo "$x"; echo $x',
  'x=`echo back \\`echo inner\\``; echo "$x"',
  'echo $((1 + 2 * 3)) $(( (1+2)*3 )) $((7/2)) $((-7%3)) $((1<2)) $((2>=3)) $((1&&0)) $((0x10)) $((010))',
  'n=5; n=$((n - 1)); echo $n $((n*n)); echo $((n == 4 ? 10 : 20))',
  'true && echo yes || echo no; false && echo yes || echo no; ! true; echo $?; ! false; echo $?',
  'false; echo $?; (exit 7); echo $?; sh -c "exit 9"; echo $?',
  'if false; then echo a; elif true; then echo b; else echo c; fi; if false; then echo x; fi; echo $?',
  'i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done; until [ $i -eq 0 ]; do i=$((i-1)); done; echo $i',
  'for i in 1 2 3 4; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done',
  'for a in 1 2; do for b in x y; do [ $b = y ] && continue 2; echo $a$b; done; done',
  'for a in 1 2; do for b in x y; do break 2; done; echo never; done; echo after',
  'case abc in a*) echo starts;; *) echo no;; esac; case x in a|x) echo alt;; esac; case "" in ?*) echo some;; *) echo none;; esac',
  'case "a*" in "a*") echo literal;; esac; case ab in "a*") echo wrong;; a[a-c]) echo set;; esac; case ad in a[!a-c]) echo notset;; esac',
  'case OE in *O*) echo tainted ;; esac; case E in *O*) echo tainted ;; *) echo clean ;; esac',
  'f() { echo "in $1"; return 3; }; f x; echo $?; g() { local v=inner; echo $v; }; v=outer; g; echo $v',
  'f() { echo $#; }; f a "b c"; set -- x y; f; echo $1',
  'f() ( exit 4 ); f; echo $?; f() { false; }; f || echo failed',
  '{ echo a; echo b; } | while read -r l; do echo "got $l"; done',
  'echo "a b c" | { read -r x y; echo "$x|$y"; }; printf "no newline" | { read -r x; echo "$? $x"; }',
  'printf " lead trail \\n" | { read -r x; echo "[$x]"; }; printf " keep \\n" | { IFS= read -r x; echo "[$x]"; }',
  'printf "a\\\\b\\n" | { read -r x; echo "$x" | wc -c; }',
  'echo one > f; echo two >> f; cat f; cat < f | wc -l; rm f; [ -e f ] || echo gone',
  'echo out; echo err >&2; { echo both; echo e2 >&2; } 2>&1 | sort',
  'x=$(echo err 2>&1 >/dev/null); echo "[$x]"; x=$({ echo err >&2; } 2>&1 >/dev/null); echo "[$x]"',
  'ls /nonexistent 2>/dev/null; echo $?; { echo x > /nonexistent/dir/f; } 2>/dev/null; echo $?',
  '{ : > /nonexistent/x; } 2>/dev/null; echo survived',
  '(: > /nonexistent/x) 2>/dev/null; echo survived $?',
  '{ printf x > /nonexistent/x; } 2>/dev/null || :; echo survived $?',
  '{ read -r x < /nonexistent; } 2>/dev/null || :; echo "[$x]"',
  'nosuchcommand 2>/dev/null; echo $?; command -v nosuchcommand; echo $?; command -v echo',
  'set -e; true; false || true; if false; then :; fi; echo here; false; echo never',
  'set -e; f() { false; echo continues; }; f || echo no; (exit 3); echo never',
  'set -u; echo ${undefined-ok}; (echo $undefined) 2>/dev/null; echo $?',
  'trap "echo bye" EXIT; echo hi; exit 5',
  "trap 'echo trapped; exit 3' TERM; kill -TERM $$; echo after",
  "trap 'echo got' TERM; kill $$; echo after; trap - TERM; echo end",
  "trap 'exit 0' TERM; sleep 5 & (sleep 0.1; kill $$) & wait; echo never",
  'sleep 0.05 & wait; echo done; (exit 6) & wait $!; echo $?',
  '(sleep 0.1; echo later) & echo first; wait',
  'x=1; (x=2; echo $x); echo $x; { x=3; }; echo $x; echo | x=4; echo $x',
  'mkdir -p d/e; touch d/e/f d/g; echo d/*; echo d/*/f; echo "d/*"; echo d/nomatch*; rm -r d',
  'mkdir -p src/sub; echo 1 > src/a.bin; echo 2 > src/sub/b.bin; mkdir dst; cp -r src/* dst; find dst | sort -r; cat dst/sub/b.bin; rm -r src dst',
  'mkdir -p s/x; touch s/x/y; cd s && find ./* | sort -r | while IFS= read -r f; do echo "$f"; done; cd ..; rm -r s',
  'mkdir d; touch d/f; rmdir d 2>/dev/null || echo busy; rm d/f; rmdir d && echo removed',
  'printf "%s-%s\\n" a b c; printf "%5d|%-5s|%05d|%x\\n" 42 ab 7 255; printf "%.3s\\n" abcdef; printf "%%\\n"; printf "%b" "a\\tb\\n"',
  'n=4; printf "%.$n"s abcdefgh; echo; kept=abcdef; printf "%.3s" "$kept"; echo',
  'newline="\n"; nl=$(printf "\\nx"); nl=${nl%x}; x="a${nl}b${nl}c"; echo "${x#*"$nl"}"; echo "${#x}"',
  'IFS=:; x=a:b::c; set -- $x; echo $#; for i in $x; do echo "[$i]"; done',
  'eval "x=5; echo \\$x"; y=x; eval echo \\$$y',
  'echo "$(echo "nested $(echo "deep")")"; echo $(( $(echo 2) + 1 ))',
  'a=1 b=2; echo $a$b; a=9 sh -c "echo \\$a"; echo $a; export a; sh -c "echo \\$a"',
  '[ -z "" ] && [ -n x ] && [ a = a ] && [ a != b ] && [ 1 -eq 1 ] && [ ! -e nofile ] && [ -d . ] && echo all; [ a = b -o c = c ]; echo $?',
  'test 3 -gt 2 && echo gt; [ "" ]; echo $?; [ x ]; echo $?',
  'echo abc | cut -c2; echo a:b:c | cut -d: -f1,3; echo "x y" | tr " " "\\n"; echo hello | tr a-z A-Z; echo aabb | tr -d a',
  'printf "3\\n1\\n2\\n" | sort; printf "b\\na\\n" | sort -r; printf "10\\n9\\n" | sort -n; printf "1\\n2\\n3\\n" | head -n 2; printf "1\\n2\\n3\\n" | tail -n 1; printf "abc" | tail -c 2',
  'printf "a b\\nc\\n" | xargs echo; printf "p\\nq\\n" | xargs -I{} echo "<{}>"; echo "x.y" | grep -q "x\\.y" && echo matched; echo abc | grep -c b',
  'last() { kept=; while IFS= read -r line || [ -n "$line" ]; do kept=$kept$line; done; echo "$kept"; }; printf "a\\nb" | last',
  'step() { said=$("$@" 2>&1); code=$?; echo "$code:$said"; return "$code"; }; t() { echo x; false; }; step t || echo failed; step echo "a b"',
  '# comment\necho a # trailing\necho "#not" a#b\n\n\necho \\\n  joined',
  'echo "unterminated',
  'if true; then echo; fi; then',
  'x=5; readonly x; (x=6) 2>/dev/null; echo $?; unset y; echo "${y-unset}"',
  'while :; do i=x$i; [ ${#i} -ge 3 ] && break; done; echo $i',
  'exit 300',
  'return 3; echo after',
  'echo a; exec echo replaced; echo never',
  'left=3; until [ -s mark ]; do [ "$left" -gt 0 ] || exit 1; left=$((left - 1)); done',
  'echo -n no newline; echo; echo "tab\\tnew\\nline\\\\n"; echo "stop\\chere"',
]

const folder = mkdtempSync(join(tmpdir(), 'kmm-shell-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const real = (script: string) => {
  const { stdout, status } = spawnSync('/bin/sh', ['-c', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    timeout: 10_000,
  })
  return { stdout, status }
}

const modelled = (script: string) => {
  const bench = createBench()
  const { code, text, error } = bench.run(script)
  // What went to standard error is not compared: the words of shells differ.
  return { stdout: withoutError(text, error), status: code }
}

/** The two streams are interleaved; the scripts here write to standard error in whole lines. */
function withoutError(text: string, error: string): string {
  let rest = text
  for (const line of error.split('\n')) if (line !== '') rest = rest.replace(`${line}\n`, '')
  return rest
}

describe('the shell of a container', () => {
  for (const script of scripts) {
    it(`does what /bin/sh does: ${JSON.stringify(script).slice(0, 90)}`, () => {
      assert.deepEqual(modelled(script), real(script))
    })
  }

  it('expands words built by chance as /bin/sh does', () => {
    const piece = fc.constantFrom(
      'a',
      '$x',
      '"$x"',
      "'$x'",
      '"$@"',
      '$*',
      '${x:-d e}',
      '"${y:-d e}"',
      '${#x}',
      '\\ ',
      '$(echo p  q)',
      '"$(echo p  q)"',
      '$((1+2))',
      '${x%b*}',
      '""',
      '*.none',
      '${x##* }',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(fc.array(piece, { minLength: 1, maxLength: 6 }), { minLength: 8, maxLength: 12 }), lines => {
        const body = lines.map(pieces => `printf '<%s>' ${pieces.join('')}; echo`).join('\n')
        const script = `x='a b c'; set -- 1 '2 3'\n${body}\n`
        assert.deepEqual(modelled(script), real(script))
      }),
      { numRuns: 40, seed: 7 },
    )
  })

  it('waits on the clock that is turned by hand', () => {
    assert.equal(createBench().run('sleep 600; sleep 2m; echo done').tookMs, 720_000)
  })

  it('refuses to spin without letting time pass', () => {
    assert.throws(() => createBench().run('while :; do :; done'), /spins/)
  })
})
