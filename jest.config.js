export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }],
  },
  globalSetup: '<rootDir>/test/servers/global-setup.ts',
  globalTeardown: '<rootDir>/test/servers/global-teardown.ts',
  reporters: ['default', '<rootDir>/test/servers/conformance-reporter.mjs'],
  // Store tests run real fsyncs and child processes; two workers keep a two-core machine busy.
  maxWorkers: 2,
  // Modules of a suite stay in the memory of its worker: one that has had many suites makes way for another.
  workerIdleMemoryLimit: '1GB',
  // Far above what any test takes: a busy machine must not decide.
  testTimeout: 300_000,
};
