import { Intervention, type SourceUse } from "./intervention.ts";

// The kinds that pyvene's classes are subclassed from. Each only declares a property of
// Intervention, so a class that is of two kinds extends one and declares the other's property.

/** An intervention whose parameters are to be learned. */
export abstract class TrainableIntervention extends Intervention {
  override readonly trainable: boolean = true;
}

/** An intervention that has what it needs in itself, and takes no source. */
export abstract class ConstantSourceIntervention extends Intervention {
  override readonly sourceUse: SourceUse = "none";
}

/** An intervention that works on the base alone. */
export abstract class SourcelessIntervention extends Intervention {
  override readonly sourceUse: SourceUse = "none";
}

/** An intervention that sees the units of a row apart: [batch, units, width]. */
export abstract class LocalistRepresentationIntervention extends Intervention {
  override readonly concatenatesUnits: boolean = false;
}

/** An intervention that sees the units of a row as one vector: [batch, units x width]. */
export abstract class DistributedRepresentationIntervention extends Intervention {
  override readonly concatenatesUnits: boolean = true;
}

/** An intervention that does the same in every basis of the representation. */
export abstract class BasisAgnosticIntervention extends Intervention {
  override readonly basisAgnostic: boolean = true;
}

/** A learned intervention whose parameters serve several places. */
export abstract class SharedWeightsTrainableIntervention extends TrainableIntervention {
  override readonly sharedWeights: boolean = true;
}
