import { expect, test } from 'vitest'
import { findJava, javaFault, majorOf, runtimeFault } from './prerequisites.ts'

const isOneSentence = /^[^.]+(\.[^ ][^.]*)*\.$/

test('missing Java is one sentence that says what to install', () => {
  const fault = javaFault(undefined, undefined)
  expect(fault).toMatch(/^Java was not found: install a Java runtime, version 17 or newer/)
  expect(fault).toMatch(isOneSentence)
})

test('an old Java is named with its version and place', () => {
  expect(javaFault('/opt/java/bin/java', '11.0.2')).toMatch(
    /^Java 11\.0\.2 at \/opt\/java\/bin\/java is too old: install/,
  )
  expect(javaFault('/opt/java/bin/java', '1.8.0_292')).toMatch(/too old/)
})

test.each(['17', '17.0.15', '21.0.2', '25-ea'])('Java %s will do', (version) => {
  expect(javaFault('java', version)).toBeUndefined()
})

test('a JAVA_HOME without a runtime is a fault that names it', () => {
  expect(() => findJava({ JAVA_HOME: '/nowhere' })).toThrow(
    '/nowhere/bin/java could not be run: install a Java runtime',
  )
})

test('the wrong Node is one sentence that says what to use', () => {
  expect(runtimeFault('v20.11.0', 'linux')).toMatch(/^Node v20\.11\.0 runs this, but version 24 is needed: .*\.$/)
  expect(runtimeFault('v24.21.0', 'linux')).toBeUndefined()
  expect(runtimeFault('v24.21.0', 'darwin')).toBeUndefined()
})

test('an operating system that is not supported is named', () => {
  expect(runtimeFault('v24.21.0', 'win32')).toMatch(/not on win32/)
})

test('versions of old and new numbering are read', () => {
  expect([majorOf('1.8.0_292'), majorOf('17.0.15'), majorOf('21'), majorOf('25-ea')]).toEqual([8, 17, 21, 25])
})
