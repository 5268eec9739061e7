// The route table: every door of the API on one screen.
import type { Route } from '../route.ts'

export const routes: readonly Route[] = []
