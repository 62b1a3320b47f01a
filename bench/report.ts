// The tables and the picture of docs/benchmarks, from the results that are there. See bench/scale/report.ts.
import { report } from './scale/report.ts'

process.exitCode = await report()
