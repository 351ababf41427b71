import { Failure } from '../components/failure.tsx'

export default function NotFound() {
  return <Failure code="not_found" title="Nothing here" message="This app has no such page." />
}
