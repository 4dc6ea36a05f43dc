/** What other services answer, at the public address: one place to ask, whoever knows. */
import { proxyRoutes, type Routes, requireRole, requireSelfOr, type Upstream } from '@bellyfed/http'
import type { Metrics } from '@bellyfed/process'
import { DishParams, UserParams } from './shapes.ts'

const selfOrService = requireSelfOr('service', 'admin')
const anyone = requireRole('user', 'service', 'admin')

/** The history service checks the query; the gateway checks who asks, and the ids. */
export function historyGateway(upstream: Upstream, metrics: Metrics): Routes {
  return proxyRoutes({
    upstream,
    metrics,
    routes: [
      {
        method: 'GET',
        url: '/v1/users/:userId/history',
        schema: { summary: "Every change of a user's rankings, newest first", params: UserParams },
        onRequest: selfOrService,
      },
      {
        method: 'GET',
        url: '/v1/users/:userId/lists',
        schema: { summary: "A user's lists as they stood at any time", params: UserParams },
        onRequest: selfOrService,
      },
      {
        method: 'GET',
        url: '/v1/dishes/:dishId/history',
        schema: { summary: 'Every change of the rankings of a dish, newest first', params: DishParams },
        onRequest: anyone,
      },
    ],
  })
}
