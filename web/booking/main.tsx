// The entry: reads what the server wrote into the page, and shows the page that it is.
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import type { PageDocument } from '../../src/wire/pages.ts'
import { setClock } from '../shared/clock.ts'
import './styles/styles.css'
import { App } from './app.tsx'
import { tellHeight } from './frame.ts'

const written = document.getElementById('document')
const root = document.getElementById('page')
if (written === null || root === null) throw new Error('the page has no document')
const pageDocument = JSON.parse(written.textContent ?? '') as PageDocument
setClock(pageDocument.now)
createRoot(root).render(
  <StrictMode>
    <App document={pageDocument} />
  </StrictMode>,
)
tellHeight()
