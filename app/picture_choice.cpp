#include "app/pictures.h"

namespace app {

void applyChoice(PictureChoice& choice, const Arguments::Item& option)
{
    if (option.name == "--frame") {
        choice.frame = static_cast<int>(wholeNumber("--frame", option.value, 0, 1'000'000'000));
    } else if (option.name == "--window") {
        const std::vector<double> window = numbers("--window", option.value, '/', 2);
        if (window[1] <= 0) {
            throw UsageError("--window is \"" + option.value + "\"; expected a width above 0");
        }
        choice.window = {window[0], window[1]};
    } else if (option.name == "--region") {
        const std::vector<double> sides = numbers("--region", option.value, ',', 4);
        Region region;
        int* const fields[] = {&region.x, &region.y, &region.width, &region.height};
        for (std::size_t i = 0; i < 4; ++i) {
            if (sides[i] < 0 || sides[i] > 1e9) {
                throw UsageError("--region is \"" + option.value +
                                 "\"; expected x,y,width,height in pixels");
            }
            *fields[i] = static_cast<int>(sides[i]);
        }
        choice.region = region;
    } else if (option.name == "--as-shown") {
        choice.asShown = true;
    }
}

}  // namespace app
