#include "inference/context_use.h"

#include "inference/config.h"
#include "inference/tokenizer.h"

namespace inference {
namespace {

std::string counted(std::int64_t number, const char* what)
{
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

/// Tokens of all pictures with at most so many tiles each.
std::int64_t pictureTokens(Request request, TilingOptions tiling, int maxTiles)
{
    request.maxTiles = maxTiles;
    std::int64_t tokens = 0;
    for (const Message& message : request.messages) {
        tiling.maxTiles = maxTilesOf(message, request);
        for (const Image& image : message.images) {
            tokens += layoutTiles(image.width, image.height, tiling).tokens;
        }
    }
    return tokens;
}

/// Fills in what the user can change so that the request fits.
void findWhatFits(ContextUse& use, const Request& request, const TilingOptions& tiling)
{
    if (const int room = use.contextLength - use.promptTokens(); room > 0) {
        use.newTokensFit = room;
        return;
    }
    const std::int64_t rest =
        std::int64_t(use.promptTokens()) - use.pictureTokens() + use.newTokens;
    for (int tiles = request.maxTiles - 1; tiles > 0; --tiles) {
        if (rest + pictureTokens(request, tiling, tiles) <= use.contextLength) {
            use.tilesFit = tiles;
            return;
        }
    }
    std::int64_t alone = std::int64_t(use.system) + use.question + use.newTokens;
    const std::size_t own = request.messages.back().images.size();
    for (std::size_t i = use.pictures.size() - own; i < use.pictures.size(); ++i) {
        alone += use.pictures[i].tokens;
    }
    use.fitsInNewTalk = request.messages.size() > 1 && alone <= use.contextLength;
}

std::string whatFits(const ContextUse& use)
{
    if (use.newTokensFit > 0) {
        return "at most " + counted(use.newTokensFit, "new token") +
            (use.newTokensFit == 1 ? " fits" : " fit");
    }
    if (use.tilesFit > 0) {
        return "at most " + counted(use.tilesFit, "tile") + " a picture fit" +
            (use.tilesFit == 1 ? "s" : "");
    }
    if (use.fitsInNewTalk) {
        return "the question fits in a new conversation";
    }
    return use.pictures.size() > 1 ? "fewer pictures or a shorter text are needed"
                                   : "a shorter text is needed";
}

std::string problemOf(const ContextUse& use)
{
    if (use.newTokens < 1) {
        return "The limit of new tokens is " + std::to_string(use.newTokens) +
            " where 1 or more is expected.";
    }
    if (use.over() == 0) {
        return {};
    }
    const std::int64_t prompt = use.promptTokens();
    return "The question needs " + std::to_string(prompt + use.newTokens) + " tokens (" +
        std::to_string(prompt) + " to read: system message " + std::to_string(use.system) +
        ", earlier turns " + std::to_string(use.history) + ", " +
        counted(std::int64_t(use.pictures.size()), "picture") + " " +
        std::to_string(use.pictureTokens()) + ", question " + std::to_string(use.question) +
        "; and " + std::to_string(use.newTokens) + " to write) where the model has room for " +
        std::to_string(use.contextLength) + ", " + std::to_string(use.over()) + " too many; " +
        whatFits(use) + ".";
}

}  // namespace

ContextUse contextUse(const Prompt& prompt, const Request& request, const TilingOptions& tiling,
                      int contextLength)
{
    ContextUse use;
    use.system = int(prompt.systemEnd);
    use.history = int(prompt.questionBegin - prompt.systemEnd);
    use.question = int(prompt.ids.size() - prompt.questionBegin);
    for (std::size_t i = 0; i < prompt.images.size(); ++i) {
        (i < prompt.earlierImages ? use.history : use.question) -= prompt.images[i].tokens;
    }
    use.pictures = prompt.images;
    use.newTokens = request.maxNewTokens;
    use.contextLength = contextLength;
    if (use.over() > 0) {
        findWhatFits(use, request, tiling);
    }
    use.problem = problemOf(use);
    return use;
}

ContextUse contextUse(const std::filesystem::path& checkpoint, const Request& request)
{
    const ModelConfig config = readConfig(checkpoint);
    const auto tokenizer = loadTokenizer(checkpoint);
    const TilingOptions tiling = config.tiling();
    return contextUse(buildPrompt(request, *tokenizer, tiling), request, tiling,
                      config.language.contextLength());
}

}  // namespace inference
