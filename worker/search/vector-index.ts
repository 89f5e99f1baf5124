// The embedded vector index: a Durable Object. (Stands in until it is built.)
import { DurableObject } from 'cloudflare:workers';

export class VectorIndex extends DurableObject {}
