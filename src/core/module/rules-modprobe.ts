// Rules about modprobe: what is loaded, and how (behaviour.md 9.1, rules 7 to 12, and 2.4).
import { has, inContainer, inMapping, type Rule } from './rule.ts'
import { listed, quoted } from './violation.ts'

const inModprobe = (field: string, ...rest: readonly (string | number)[]) => inContainer('modprobe', field, ...rest)
const hasItems = (list: readonly string[] | undefined): list is readonly string[] => list !== undefined && list.length > 0

const rawArgsWithModuleName: Rule = {
  code: 'RawArgsWithModuleName',
  on: 'both',
  severity: 'error',
  check: ({ container: { modprobe } }) =>
    has(modprobe.moduleName) && (hasItems(modprobe.rawArgs?.load) || hasItems(modprobe.rawArgs?.unload))
      ? [
          {
            path: inModprobe('rawArgs'),
            message: `modprobe has both moduleName ${quoted(modprobe.moduleName)} and rawArgs, which replace the whole command line: keep one of them`,
          },
        ]
      : [],
}

const rawArgsIncomplete: Rule = {
  code: 'RawArgsIncomplete',
  on: 'both',
  severity: 'error',
  check: ({ container: { modprobe } }) => {
    if (has(modprobe.moduleName)) return []
    const missing = (['load', 'unload'] as const).filter(field => !hasItems(modprobe.rawArgs?.[field]))
    if (missing.length === 2) {
      return [
        { path: inModprobe('moduleName'), message: 'modprobe needs a moduleName, or else both rawArgs.load and rawArgs.unload' },
      ]
    }
    return missing.map(field => ({
      path: inModprobe('rawArgs', field),
      message: `modprobe has no moduleName and no rawArgs.${field}: without a moduleName both rawArgs.load and rawArgs.unload are needed`,
    }))
  },
}

const loadingOrderTooShort: Rule = {
  code: 'LoadingOrderTooShort',
  on: 'both',
  severity: 'error',
  check: ({ container: { modprobe } }) =>
    modprobe.modulesLoadingOrder !== undefined && modprobe.modulesLoadingOrder.length < 2
      ? [
          {
            path: inModprobe('modulesLoadingOrder'),
            message: `modulesLoadingOrder needs at least two kernel modules, but has ${modprobe.modulesLoadingOrder.length}: leave it out for a single one`,
          },
        ]
      : [],
}

const loadingOrderWithoutModuleName: Rule = {
  code: 'LoadingOrderWithoutModuleName',
  on: 'both',
  severity: 'error',
  check: ({ container: { modprobe } }) =>
    modprobe.modulesLoadingOrder !== undefined && !has(modprobe.moduleName)
      ? [{ path: inModprobe('moduleName'), message: 'modulesLoadingOrder needs a moduleName, which is its first entry' }]
      : [],
}

const loadingOrderFirst: Rule = {
  code: 'LoadingOrderFirst',
  on: 'both',
  severity: 'error',
  check: ({ container: { modprobe } }) => {
    const first = modprobe.modulesLoadingOrder?.[0]
    return first === undefined || !has(modprobe.moduleName) || first === modprobe.moduleName
      ? []
      : [
          {
            path: inModprobe('modulesLoadingOrder', 0),
            message: `modulesLoadingOrder must begin with moduleName ${quoted(modprobe.moduleName)}, but begins with ${quoted(first)}`,
          },
        ]
  },
}

const loadingOrderDuplicate: Rule = {
  code: 'LoadingOrderDuplicate',
  on: 'both',
  severity: 'error',
  check: ({ container: { modprobe } }) =>
    (modprobe.modulesLoadingOrder ?? []).flatMap((name, index, all) =>
      all.indexOf(name) < index
        ? [
            {
              path: inModprobe('modulesLoadingOrder', index),
              message: `modulesLoadingOrder names ${quoted(name)} twice: remove one`,
            },
          ]
        : [],
    ),
}

/** Names and aliases as modprobe knows them; what begins with "-" would be an option. Source: modprobe(8), modules.alias. */
const moduleName = /^[A-Za-z0-9_][A-Za-z0-9_.,:*?+-]*$/

const moduleNameInvalid: Rule = {
  code: 'ModuleNameInvalid',
  on: 'both',
  severity: 'error',
  check: ({ container }) => {
    const names: readonly (readonly [string, string | undefined])[] = [
      [inModprobe('moduleName'), container.modprobe.moduleName],
      ...(container.modprobe.modulesLoadingOrder ?? []).map(
        (name, index) => [inModprobe('modulesLoadingOrder', index), name] as const,
      ),
      [inContainer('inTreeModuleToRemove'), container.inTreeModuleToRemove],
      ...container.kernelMappings.map(
        (mapping, index) => [inMapping(index, 'inTreeModuleToRemove'), mapping.inTreeModuleToRemove] as const,
      ),
    ]
    return names.flatMap(([path, name]) =>
      has(name) && !moduleName.test(name)
        ? [
            {
              path,
              message: `${quoted(name)} is no name of a kernel module: those have letters, digits, "_" and "-", without a directory and without .ko`,
            },
          ]
        : [],
    )
  },
}

const moduleNameIsFile: Rule = {
  code: 'ModuleNameIsFile',
  on: 'both',
  severity: 'warning',
  check: ({ container: { modprobe } }) =>
    /\.ko(\.\w+)?$/.test(modprobe.moduleName ?? '')
      ? [
          {
            path: inModprobe('moduleName'),
            message: `modprobe looks for a module of the name ${quoted(modprobe.moduleName ?? '')}: leave out the ending .ko`,
          },
        ]
      : [],
}

const fieldsIgnored: Rule = {
  code: 'FieldsIgnored',
  on: 'both',
  severity: 'warning',
  check: ({ container: { modprobe } }) => {
    if (!hasItems(modprobe.rawArgs?.load) && !hasItems(modprobe.rawArgs?.unload)) return []
    const ignored = [...(hasItems(modprobe.parameters) ? ['parameters'] : []), ...(modprobe.args === undefined ? [] : ['args'])]
    return ignored.length === 0
      ? []
      : [
          {
            path: inModprobe('rawArgs'),
            message: `rawArgs are the whole command line, so ${listed(ignored)} of modprobe do nothing: put them into rawArgs`,
          },
        ]
  },
}

const firmwarePathRelative: Rule = {
  code: 'FirmwarePathRelative',
  on: 'both',
  severity: 'warning',
  check: ({ container: { modprobe } }) =>
    has(modprobe.firmwarePath) && !modprobe.firmwarePath.startsWith('/')
      ? [
          {
            path: inModprobe('firmwarePath'),
            message: `firmwarePath ${quoted(modprobe.firmwarePath)} depends on the working directory of the image: begin it with "/"`,
          },
        ]
      : [],
}

export const modprobeRules: readonly Rule[] = [
  rawArgsWithModuleName,
  rawArgsIncomplete,
  loadingOrderTooShort,
  loadingOrderWithoutModuleName,
  loadingOrderFirst,
  loadingOrderDuplicate,
  moduleNameInvalid,
  moduleNameIsFile,
  fieldsIgnored,
  firmwarePathRelative,
]
