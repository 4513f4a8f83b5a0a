/** The worker that `startWorker` starts: it answers, and does nothing else. */
import { serve } from "./serve.ts";

serve();
