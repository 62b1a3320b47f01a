// spec.moduleLoader and spec.devicePlugin of a Module. Source: OKD 4.13 documentation, "Example Module CR" (behaviour.md 1.1).
// Where two spellings are listed, the lower-case one is that of the documentation's samples (decisions.md 24).
import { z } from 'zod'
import {
  envVar,
  intOrPercent,
  labelMap,
  objectReference,
  resourceRequirements,
  text,
  texts,
  tlsOptions,
  volume,
  volumeMount,
} from './fields.ts'

const either = (...names: readonly string[]) => ({ anyOf: names.map(name => ({ required: [name] })) })
const notBoth = (...names: readonly string[]) => ({ not: { required: names } })

export const build = z
  .object({
    dockerfileConfigMap: objectReference(
      'ConfigMap in the namespace of the Module with the Dockerfile under the key `dockerfile`.',
    ),
    buildArgs: z
      .array(z.object({ name: text('Name of the build argument.'), value: text('Its value, taken literally.') }))
      .meta({
        description: 'Arguments for the build. KERNEL_VERSION and the other automatic ones win over those of the same name.',
      })
      .optional(),
    secrets: z
      .array(objectReference('A secret that the build may read.'))
      .meta({ description: 'Secrets in the namespace of the Module. The build finds each one under /run/secrets/NAME.' })
      .optional(),
    baseImageRegistryTLS: tlsOptions('How to reach the registries of the images in the FROM lines.').optional(),
    selector: labelMap('Labels of the nodes that may run the build. Without it: those of spec.selector.').optional(),
    kanikoParams: z
      .object({ tag: text('Tag of the kaniko image.').optional() })
      .meta({ description: 'Accepted so that Modules of the upstream edition apply here; it changes nothing.' })
      .optional(),
  })
  .meta({ description: 'How to build the image in the cluster when it is not in the registry.' })

export const sign = z
  .object({
    keySecret: objectReference('Secret with the private key under the key `key`.').optional(),
    keysecret: objectReference('Another spelling of keySecret.').optional(),
    certSecret: objectReference('Secret with the certificate under the key `cert`.').optional(),
    certsecret: objectReference('Another spelling of certSecret.').optional(),
    unsignedImage: text(
      'Image with the unsigned modules; may hold ${KERNEL_FULL_VERSION} and the like. Ignored where the image is built.',
    ).optional(),
    unsignedImageRegistryTLS: tlsOptions('How to reach the registry of unsignedImage.').optional(),
    filesToSign: texts(
      'Absolute paths, in the image, of the modules to sign; may hold ${KERNEL_FULL_VERSION}. Others stay unsigned.',
    ).optional(),
  })
  .meta({
    description: 'How to sign modules for Secure Boot when the signed image is not in the registry.',
    allOf: [
      either('keySecret', 'keysecret'),
      either('certSecret', 'certsecret'),
      notBoth('keySecret', 'keysecret'),
      notBoth('certSecret', 'certsecret'),
    ],
  })

export const kernelMapping = z
  .object({
    literal: text('Selects the kernel with exactly this version (`uname -r`).').optional(),
    regexp: text(
      'Selects kernels whose version matches this regular expression somewhere. Syntax of Go (RE2); anchor it with ^ and $.',
    ).optional(),
    containerImage: text(
      'Image with the modules for these kernels; may hold ${KERNEL_FULL_VERSION} and the like. Without it: that of the container.',
    ).optional(),
    build: build.optional(),
    sign: sign.optional(),
    registryTLS: tlsOptions('How KMM reaches the registry of the image, instead of the registryTLS of the container.').optional(),
    inTreeModuleToRemove: text('In-tree module to unload before the load, instead of that of the container.').optional(),
  })
  .meta({ description: 'What to load on the nodes with certain kernels. Either literal or regexp says which.' })

const commands = (description: string, load: string, unload: string) =>
  z
    .object({
      load: z.array(z.string()).min(1).meta({ description: load }).optional(),
      unload: z.array(z.string()).min(1).meta({ description: unload }).optional(),
    })
    .meta({ description })

export const modprobe = z
  .object({
    moduleName: text('Name of the kernel module to load. Left out only with rawArgs.').optional(),
    parameters: texts('Parameters of the kernel module, each as name=value.').optional(),
    dirName: z
      .string()
      .meta({
        description: 'Directory in the image under which lib/modules/KERNEL lies. "" leaves out the option -d.',
        default: '/opt',
      })
      .optional(),
    args: commands(
      'Options of modprobe.',
      'Options instead of -v when loading.',
      'Options instead of -rv when unloading.',
    ).optional(),
    rawArgs: commands(
      'Whole command lines, for what the other fields cannot say. Needs both load and unload, and no moduleName.',
      'All arguments of modprobe when loading.',
      'All arguments of modprobe when unloading.',
    ).optional(),
    firmwarePath: text(
      'Directory in the image whose content is copied to /var/lib/firmware of the node before the load, and removed before the unload.',
    ).optional(),
    modulesLoadingOrder: texts(
      'Kernel modules that depend on each other without saying so. The first is moduleName, and is loaded last.',
    ).optional(),
  })
  .meta({ description: 'How modprobe is called.' })

export const moduleLoaderContainer = z
  .object({
    kernelMappings: z
      .array(kernelMapping)
      .min(1)
      .meta({ description: 'For which kernels there is a driver, and where. The first that fits a kernel is taken.' }),
    modprobe,
    containerImage: text('Image for the mappings that name none.').optional(),
    imagePullPolicy: text('When the nodes pull the image: Always, IfNotPresent or Never.').optional(),
    version: text(
      'Version of the driver, for an upgrade node by node as their version label says. Also a label value.',
    ).optional(),
    build: build.optional(),
    sign: sign.optional(),
    registryTLS: tlsOptions('How KMM reaches the registry of the image. The nodes have their own settings.').optional(),
    inTreeModuleToRemove: text('In-tree module to unload before the load. It is not loaded again afterwards.').optional(),
  })
  .meta({ description: 'The container that loads the driver.' })

export const moduleLoader = z
  .object({
    container: moduleLoaderContainer,
    serviceAccountName: text('Service account of the loader pods; it must be allowed to run privileged pods.').optional(),
    maxUnavailable: intOrPercent(
      'How many nodes, or which share of them, may be without the driver at once while it is replaced.',
      1,
    ).optional(),
  })
  .meta({ description: 'What loads the driver on the nodes.' })

export const devicePlugin = z
  .object({
    container: z
      .object({
        image: text('Image of the device plugin.'),
        command: texts('Command instead of that of the image.').optional(),
        args: texts('Arguments of the command.').optional(),
        env: z.array(envVar).meta({ description: 'Environment variables.' }).optional(),
        imagePullPolicy: text('When the nodes pull the image: Always, IfNotPresent or Never.').optional(),
        resources: resourceRequirements.optional(),
        volumeMounts: z.array(volumeMount).meta({ description: 'Where the volumes appear in the container.' }).optional(),
      })
      .meta({ description: 'The container of the device plugin.' }),
    serviceAccountName: text('Service account of the device-plugin pods; it must be allowed to run privileged pods.').optional(),
    volumes: z.array(volume).meta({ description: 'Volumes that the container can mount.' }).optional(),
  })
  .meta({ description: 'A Kubernetes device plugin, run on the nodes where the driver is loaded.' })
