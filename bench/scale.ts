// What the operator costs on a big cluster, beside the least that it could cost. See bench/scale/run.ts.
import { scale } from './scale/run.ts'

process.exitCode = await scale(process.argv.slice(2))
