#pragma once

#include "inference/grounding.h"
#include "inference/image.h"
#include "inference/tiling.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// The engine as the rest of the program sees it: no torch header.
namespace inference {

using TokenId = std::int32_t;

enum class Role { User, Assistant };

/// One side of a turn. Pictures belong to user messages. The text may hold `<image>` marks; where
/// the first user message has pictures and no mark, marks are put in front of it: `<image>\n` for
/// one picture, `Image-1: <image>\nImage-2: <image>\n` for several (model specification 6.3).
/// The frames of a video cost one tile each and are marked `Frame1: <image>\nFrame2: <image>\n`
/// (6.4).
struct Message {
    Role role = Role::User;
    std::string text;
    std::vector<Image> images;
    bool video = false;  // the images are the frames of a video, in order
};

/// Which system message goes in front. `Default` is the one of InternVL's chat(); `None` leaves
/// the system turn out, as in the training of KVL; `Thinking` asks for <think>; `Own` is `text`.
struct SystemPrompt {
    enum class Preset { Default, None, Thinking, Own };
    Preset preset = Preset::Default;
    std::string text;  // for Own
};

/// Greedy at temperature 0. Order, definitions and the defaults of topK and topP are those of
/// transformers' generate() (model specification 8).
struct SamplingOptions {
    double temperature = 0;
    int topK = 50;    // 0: all
    double topP = 1;  // 0..1
    double minP = 0;  // 0..1, of the likeliest token's probability
    /// Above 1 makes tokens that the answer has already rarer; greedy answers, too. 1: none.
    double repetitionPenalty = 1;
    std::uint64_t seed = 0;
};

struct Request {
    std::vector<Message> messages;  // the whole conversation, the question last
    SystemPrompt system;
    SamplingOptions sampling;
    int maxTiles = 12;  // per picture, without the thumbnail
    int maxNewTokens = 1024;
    /// The answer ends where its text would hold one of these, and is cut before it. They are
    /// looked for in all that is shown, thinking and its tags included.
    std::vector<std::string> stopStrings;
    bool stopAtEndOfText = false;  // <|endoftext|> ends it, too, not <|im_end|> alone (6.7)
    /// Asks for Answer::logprobs: so many likeliest tokens beside the chosen one, perhaps 0.
    std::optional<int> topLogprobs;
};

enum class Channel { Thinking, Answer };

/// A piece of the stream: whole UTF-8 characters, tags and special tokens removed.
struct Piece {
    Channel channel = Channel::Answer;
    std::string_view text;
};

enum class StopReason { EndOfTurn, TokenLimit, Cancelled, StopString, EndOfText };

struct ImageUse {
    int width = 0, height = 0;  // of the picture given
    TileGrid grid;
    int tiles = 0;   // thumbnail included
    int tokens = 0;  // image context tokens
};

/// What a request costs before it is sent, in tokens.
struct ContextUse {
    int system = 0;                  // the system turn
    int history = 0;                 // earlier turns, without their pictures
    std::vector<ImageUse> pictures;  // of the whole conversation, in order
    int question = 0;       // the last one, without its pictures, and the opening of the answer
    int newTokens = 0;      // reserved for the answer
    int contextLength = 0;  // of the model
    std::string problem;    // why it is refused and what would fit; empty where it fits
    // Of a refused request: what alone would make it fit; 0 and false where that does not help.
    int newTokensFit = 0;        // at most so many
    int tilesFit = 0;            // at most so many a picture, where no new token fits otherwise
    bool fitsInNewTalk = false;  // without the turns before it

    int pictureTokens() const
    {
        int sum = 0;
        for (const ImageUse& picture : pictures) {
            sum += picture.tokens;
        }
        return sum;
    }
    int promptTokens() const { return system + history + pictureTokens() + question; }
    /// How many tokens there are too many; 0 where the request fits.
    int over() const
    {
        const std::int64_t needed = std::int64_t(promptTokens()) + newTokens;
        return needed > contextLength ? int(needed - contextLength) : 0;
    }
};

/// Wall-clock seconds; `firstToken` counts from the call.
struct Timings {
    double vision = 0, prefill = 0, decode = 0, firstToken = 0;
};

/// How pictures, or their tiles, came by what the decoder reads of them.
struct VisionCounts {
    int computed = 0;  // by the vision tower
    int reused = 0;    // image tokens kept since an earlier request, or picture of this one
    int kept = 0;      // not read again: among the cachedTokens
};

/// The natural logarithm of the probability that the model gives a token, by a float32 log-softmax
/// of its logits as they are: before repetition penalty, temperature and what sampling leaves out.
struct TokenLogprob {
    TokenId id = -1;
    float logprob = 0;
};

struct StepLogprobs {
    TokenLogprob chosen;
    std::vector<TokenLogprob> top;  // the likeliest first, the lower id between equals
};

struct Answer {
    std::string text;      // as chat() returns it: special tokens skipped, stripped (7.6, 6.7)
    std::string thinking;  // between <think> and </think>, stripped
    std::string answer;    // the rest of `text`, stripped
    std::vector<Box> boxes;
    std::vector<TokenId> promptIds, newIds;  // newIds with the id that stopped it
    std::vector<StepLogprobs> logprobs;      // one a new id, where asked for
    std::vector<ImageUse> images;
    StopReason stop = StopReason::EndOfTurn;
    int cachedTokens = 0;  // prompt tokens that were not computed again
    VisionCounts pictures, tiles;
    Timings seconds;
};

/// What the assistant might write behind a prompt. The text is encoded on its own, as the model
/// would write it: `<think>`, `</think>` and whole grounding marks are tokens, other control tokens
/// are text, no end of turn is added. A word in the middle of a sentence begins with its space.
struct Continuation {
    std::string text;
    std::vector<TokenId> ids;  // where there are any: these, and not the text
};

struct ScoreRequest {
    Request prompt;  // what it says of sampling, limits and stops means nothing here
    std::vector<Continuation> continuations;
    bool endOfTurn = false;  // <|im_end|> is scored behind each
};

/// Log-probabilities as in TokenLogprob, each token given the prompt and all before it.
struct Score {
    std::vector<TokenLogprob> tokens;
    double sum = 0, mean = 0;
};

struct Scores {
    std::vector<Score> continuations;
    std::vector<TokenId> promptIds;
    std::vector<ImageUse> images;
    int cachedTokens = 0;  // prompt tokens that were not computed again
    VisionCounts pictures, tiles;
    struct {
        double vision = 0, prefill = 0, continuations = 0;
    } seconds;
};

/// Stands wherever a demonstration model's answers are shown.
inline constexpr char demonstrationMark[] = "Demonstration model: synthetic images only";

/// What is known of a checkpoint without loading its weights.
struct ModelInfo {
    std::string name;  // folder name or _name_or_path
    std::filesystem::path folder;
    std::string architecture;   // "InternVLChatModel"
    std::string languageModel;  // "Qwen3ForCausalLM"
    std::string visionModel;    // "InternVisionModel"
    std::string family, tower;  // "Qwen3", "InternViT-300M"
    std::string layout;         // of the tensors' names: "InternVLChat" or "HF-native"
    std::string chatTemplate;   // "internvl2_5"
    std::string tokenizer;      // its files: "vocab.json + merges.txt"
    int tokens = 0;             // that it defines
    std::string storedDtype;    // "BF16" or "F32", as in the file
    /// sha256 over config, index, safetensors headers with shard sizes, and 256 bytes from the
    /// middle of each tensor, hex: another training of the same model has another.
    std::string modelHash;
    std::int64_t parameters = 0;
    std::int64_t weightBytes = 0;  // as stored
    int tileSize = 0, tokensPerTile = 0, maxTiles = 0;
    int contextLength = 0;  // max_position_embeddings
    int languageLayers = 0, visionLayers = 0, hiddenSize = 0, vocabulary = 0;
    std::string device, dtype;  // as computed, once loaded: "cpu", "fp32"
    double loadSeconds = 0;
    std::string adapter;                // folder of the LoRA weights beside it, once loaded
    std::string adapterHash;            // sha256 over both of its files, hex
    bool demonstration = false;         // says so itself: kvl_demonstration in its config.json
    std::vector<std::string> warnings;  // what is unusual and computed all the same, in sentences
};

using OnPiece = std::function<void(const Piece&)>;

class Engine {
public:
    virtual ~Engine() = default;
    /// Never changes; any thread.
    virtual const ModelInfo& info() const = 0;
    /// Blocks; one thread at a time. `onPiece` is called from this thread. A stop request ends it
    /// within 200 ms with StopReason::Cancelled and what there is. Throws Error.
    virtual Answer generate(const Request& request, const OnPiece& onPiece,
                            std::stop_token stop) = 0;
    /// Probabilities of given texts behind one prompt, which is computed once. Blocks as generate()
    /// does, and not beside it. A stop request throws Cancelled within 200 ms. Throws Error, also
    /// where a continuation is empty.
    virtual Scores score(const ScoreRequest& request, std::stop_token stop) = 0;
    /// Prompt tokens of a request, image tokens included; any thread, quick. Throws Error.
    virtual int promptTokens(const Request& request) const = 0;
    /// What the request costs, part by part; any thread, quick. A request over the limit is counted
    /// here and refused by generate(). Throws Error.
    virtual ContextUse contextUse(const Request& request) const = 0;
};

/// `done` and `total` are bytes of weights.
using OnProgress = std::function<void(std::int64_t done, std::int64_t total)>;

struct LoadOptions {
    std::filesystem::path checkpoint;
    /// auto, cpu, cuda:N, or several joined by commas, each perhaps with the number of decoder
    /// layers it takes: "cuda:0,cuda:1", "cuda:0=24,cpu".
    std::string device = "auto";
    std::string dtype = "auto";                 // auto, bf16, fp32
    std::int64_t visionCacheBytes = 256 << 20;  // for image tokens of pictures seen before
    std::filesystem::path adapter = {};         // a LoRA adapter's folder; empty: none
    std::int64_t memoryLimit = 0;  // bytes on each device that may be used; 0: what is free
    /// Load weights that are used where they are mapped even if they are larger than memory; the
    /// system then reads them from the disk again and again.
    bool beyondMemory = false;
};

/// Reads config, tokenizer and weights. Throws Error; a stop request throws Cancelled.
std::unique_ptr<Engine> loadEngine(const LoadOptions& options, const OnProgress& onProgress = {},
                                   const std::stop_token& stop = {});

/// What a request would cost; reads config and tokenizer only. Throws Error.
ContextUse contextUse(const std::filesystem::path& checkpoint, const Request& request);

/// Reads config, tokenizer, index and safetensors headers only. Throws Error.
ModelInfo inspectCheckpoint(const std::filesystem::path& folder);

/// A folder that looks like a checkpoint: it has a config.json with an `architectures` list.
bool looksLikeCheckpoint(const std::filesystem::path& folder);

}  // namespace inference
