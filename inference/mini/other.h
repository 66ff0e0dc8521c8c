#pragma once

#include "inference/mini/scene.h"

namespace inference::mini {

Ink anyInk(Random& random, bool coloured);

/// Fields of several scales laid over each other and pushed through a random scale of inks: clouds,
/// flesh, marble; with few steps, a map.
void drawField(Drawing& drawing, bool coloured);

/// Clouds of two or three scales over all that is drawn.
void addTexture(Drawing& drawing, double strength);
/// Letters and a scale at the edges, as scanners burn them in.
void addMarks(Drawing& drawing);

// Like real pictures, with nothing of the phantoms that can be asked about.
void drawUnknownBody(Drawing& drawing);
void drawAnatomy(Drawing& drawing);
void drawRadiograph(Drawing& drawing);
void drawUnknownCavity(Drawing& drawing);
void drawUnknownTissue(Drawing& drawing);

}  // namespace inference::mini
