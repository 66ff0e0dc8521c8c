#pragma once

#include "app/arguments.h"
#include "app/pictures.h"
#include "inference/engine.h"

#include <initializer_list>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

/// What `kvl ask` and `kvl score` have in common: a model, a conversation, its pictures.
namespace app {

/// Lines of a help text, without those of sampling.
inline constexpr char requestHelp[] =
    R"(  --model DIR           checkpoint folder: config.json, tokenizer files, safetensors (the
                        demonstration model, where it came with the program)
  --adapter DIR         LoRA weights beside it, as PEFT and ms-swift write them; not merged
  --image FILE          a picture, DICOM file, folder with one series, PDF or video; repeatable
  --frame N             frame, slice or page of it, counted from 0
  --frames A-B[:STEP]   these frames of it as a video, one tile each; A and B are counted from 0 and
                        both are taken
  --window C/W          window centre and width, in the frame's units (HU in CT)
  --region x,y,w,h      part of it, in pixels from the top left
  --as-shown            give the model what a viewer shows: upright, blended, windowed 16-bit grey
  --password TEXT       of an encrypted PDF; - asks for it without showing it, or takes a line of
                        standard input
                        (--frame, --frames, --window, --region, --as-shown and --password belong to
                        the --image before them; before the first one, to all)
  --max-tiles N         tiles a picture without the thumbnail, 1 to 40 (12; of a demonstration
                        model as many as it was trained with)
  --system PRESET       default, none, thinking, or the text of a system message
  --history FILE        earlier turns as JSON [[question, answer], ...]; the pictures go to the
                        <image> marks of the questions in order, those left over to the last
                        question; where earlier questions have no marks, all to the first one
  --device D            auto, cpu, cuda:N, or several with the layers of each, as
                        cuda:0,cuda:1 or cuda:0=24,cpu (auto)
  --dtype T             auto, bf16, fp32 (auto)
  --beyond-memory       load even if the weights are larger than memory: slow, from the disk
)";

/// The options of requestHelp and a command's own.
std::vector<Arguments::Option> requestOptions(std::initializer_list<Arguments::Option> own);

/// default, none, thinking, or the text of a system message.
inference::SystemPrompt systemPrompt(const std::string& text);

struct NamedRequest {
    std::shared_ptr<void> pictureSystem;  // what startPictures() started
    inference::Request request;
    inference::LoadOptions load;
    std::string question;
    std::vector<Picture> pictures;
};

/// Opens the pictures, so call it on the main thread and before loadModel(): a wrong file name must
/// not cost a load. Throws UsageError, and sentences.
NamedRequest readRequest(const Arguments& arguments, const std::stop_token& stop);

/// Loads the model, with the progress on a terminal; what the pictures' notes say follows.
std::unique_ptr<inference::Engine> loadModel(const NamedRequest& named, const char* command,
                                             const std::stop_token& stop);

/// The pictures as they were read, for JSON.
nlohmann::ordered_json imagesJson(const std::vector<inference::ImageUse>& images,
                                  const std::vector<Picture>& pictures);

}  // namespace app
