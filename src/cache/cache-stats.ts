/** What a cache has done in this process. */
export interface CacheStats {
  /** Answered from what is stored, without asking upstream first. */
  hits: number
  /** Forwarded, because nothing good enough was stored. */
  misses: number
  /** Forwarded without looking. */
  bypassed: number
  stored: number
  /** Of the misses, those that another call at the same time has answered. */
  collapsed: number
}

/** At the beginning. */
export function noStats(): CacheStats {
  return { hits: 0, misses: 0, bypassed: 0, stored: 0, collapsed: 0 }
}
