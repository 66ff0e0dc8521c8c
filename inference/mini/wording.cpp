#include "inference/mini/wording.h"

#include "inference/error.h"

#include <algorithm>
#include <array>

namespace inference::mini {

namespace {

using List = std::vector<std::string_view>;

struct Question {
    std::string_view key;
    List english, german;
};

const std::vector<Question>& questions()
{
    static const std::vector<Question> all{
        {"count",
         {"How many {many} are there?", "How many {many} can you see?", "Count the {many}.",
          "What is the number of {many}?", "How many {many} are in the picture?",
          "Give the number of {many}.", "How many {many} does this picture show?",
          "Please count the {many}."},
         {"Wie viele {many} gibt es?", "Wie viele {many} sind zu sehen?"}},
        {"side",
         {"On which side is {the}?", "Is {the} on the left or on the right?",
          "Which half of the picture holds {the}, left or right?", "{The}: left or right?",
          "On which side of the picture do you see {the}?"},
         {"Auf welcher Seite liegt {the}?", "Liegt {the} links oder rechts?"}},
        {"place",
         {"Where is {the}?", "In which quarter of the picture is {the}?",
          "In which corner of the picture does {the} lie?", "Where do you find {the}?",
          "Which quadrant holds {the}?"},
         {"Wo liegt {the}?", "In welchem Viertel des Bildes liegt {the}?"}},
        {"box",
         {"Give the box of {the}.", "Mark {the} with a box.", "Where is {the}? Answer with a box.",
          "Locate {the} with a box.", "Please give the bounding box of {the}.",
          "Draw a box around {the}."},
         {"Gib die Box an: {the}.", "Wo liegt {the}? Antworte mit einer Box."}},
        {"inside",
         {"Inside which organ is {the}?", "Which organ holds {the}?",
          "In which organ does {the} lie?", "{The} is inside which organ?"},
         {"In welchem Organ liegt {the}?"}},
        {"half",
         {"Is there a {one} on the {side}?", "Is there a {one} in the {side} half?",
          "Does the {side} half show a {one}?", "Do you see a {one} on the {side} side?",
          "Any {one} on the {side}?"},
         {}},
        {"morethan",
         {"Are there more than {n} {many}?", "Do you see more than {n} {many}?",
          "Is the number of {many} greater than {n}?", "More than {n} {many}?"},
         {"Sind es mehr als {n} {many}?", "Gibt es mehr als {n} {many}?"}},
        {"morethanone",
         {"Is there more than one {one}?", "Do you see more than one {one}?",
          "More than one {one}?"},
         {}},
        {"any",
         {"Is there a {one}?", "Is there any {one} in the picture?", "Do you see a {one}?",
          "Does the picture show a {one}?"},
         {}},
        {"more",
         {"Are there more bright or more dark spots?",
          "Which are more, the bright or the dark spots?",
          "What are there more of, bright or dark spots?"},
         {"Gibt es mehr helle oder mehr dunkle Flecken?"}},
        {"picture",
         {"What kind of picture is this?", "What does this picture imitate?",
          "Which kind of image is shown?", "Which imaging method does this look like?"},
         {"Was für ein Bild ist das?"}},
        {"type",
         {"What kind of chart is this?", "Which type of chart is this?",
          "Name the type of this chart.", "What kind of chart is shown?"},
         {}},
        {"typein",
         {"What kind of chart is in panel {panel}?", "Which type of chart is panel {panel}?",
          "What kind of chart does panel {panel} show?"},
         {}},
        {"panels",
         {"How many panels does the figure have?", "How many panels are there?",
          "Count the panels of this figure."},
         {"Wie viele Teilbilder hat die Abbildung?"}},
        {"panelof",
         {"Which panel shows the {chart}?", "In which panel is the {chart}?",
          "What is the letter of the panel with the {chart}?"},
         {}},
        {"highest",
         {"Which bar is the highest?", "What is the colour of the highest bar?",
          "Which colour has the tallest bar?", "Name the colour of the highest bar."},
         {"Welche Farbe hat der höchste Balken?"}},
        {"lowest",
         {"Which bar is the lowest?", "What is the colour of the lowest bar?",
          "Which colour has the shortest bar?", "Name the colour of the lowest bar."},
         {"Welche Farbe hat der niedrigste Balken?"}},
        {"value",
         {"What is the value of the {colour} bar?", "How high is the {colour} bar?",
          "Read the value of the {colour} bar.", "Which value does the {colour} bar reach?"},
         {}},
        {"higher",
         {"Is the {a} bar higher than the {b} bar?", "Is the {a} bar taller than the {b} one?",
          "Does the {a} bar exceed the {b} bar?"},
         {}},
        {"trend",
         {"What is the trend of the {colour} line?", "Does the {colour} line rise or fall?",
          "How does the {colour} line develop?", "Is the {colour} line rising, falling or flat?"},
         {}},
        {"endhighest",
         {"Which line ends highest?", "Which line is the highest at the right end?",
          "What is the colour of the line that ends highest?"},
         {"Welche Farbe hat die Linie, die am höchsten endet?"}},
        {"cross",
         {"Do the lines cross?", "Do the two lines cross each other?",
          "Is there a crossing of the lines?"},
         {"Kreuzen sich die Linien?"}},
        {"correlation",
         {"What is the trend of the points?", "Do the points rise, fall or neither?",
          "How are x and y related?", "Is the correlation positive, negative or none?"},
         {}},
        {"largestslice",
         {"Which slice is the largest?", "What is the colour of the largest slice?",
          "Name the colour of the biggest slice.", "Which colour takes the largest share?"},
         {"Welche Farbe hat das größte Stück?"}},
        {"smallestslice",
         {"Which slice is the smallest?", "What is the colour of the smallest slice?",
          "Which colour takes the smallest share?"},
         {"Welche Farbe hat das kleinste Stück?"}},
        {"share",
         {"What share does the {colour} slice have?", "How many percent is the {colour} slice?",
          "Give the share of the {colour} slice in percent."},
         {}},
        {"half-slice",
         {"Is the {colour} slice more than a quarter of the pie?",
          "Does the {colour} slice take more than a quarter?",
          "Is the share of the {colour} slice above 25 percent?"},
         {}},
        {"title",
         {"What is the title of the chart?", "Read the title.", "Which title does the chart have?",
          "What does the title say?"},
         {"Wie lautet der Titel?"}},
        {"xlabel",
         {"What is the label of the x axis?", "What does the x axis show?",
          "Read the label of the x axis."},
         {"Wie heißt die x-Achse?"}},
        {"legend",
         {"How many entries does the legend have?", "How many entries are in the legend?",
          "Count the entries of the legend."},
         {"Wie viele Einträge hat die Legende?"}},
        {"haslegend",
         {"Is there a legend?", "Does the chart have a legend?", "Do you see a legend?"},
         {"Gibt es eine Legende?"}},
        {"beyond",
         {"What is the diagnosis?",
          "Is this cancer?",
          "How old is the patient?",
          "Which drug should be given?",
          "Is the patient a man or a woman?",
          "Which journal is this from?",
          "Who wrote this paper?",
          "What is the p value?",
          "Is this finding dangerous?",
          "Write a report.",
          "Describe the picture in detail.",
          "What is the name of the patient?",
          "When was this picture taken?",
          "Which hospital did this?",
          "Is there a fracture?",
          "Is there pneumonia?",
          "What is the Gleason score?",
          "Which gene is mutated?",
          "What should the doctor do next?",
          "Summarise the findings.",
          "Is the disease getting worse?",
          "Which scanner made this picture?",
          "What is written in the text?",
          "Compare this with the previous examination.",
          "What is the stage of the tumour?"},
         {"Wie lautet die Diagnose?", "Ist das Krebs?", "Wie alt ist der Patient?",
          "Beschreibe das Bild.", "Schreibe einen Befund.", "Welches Medikament hilft?"}},
    };
    return all;
}

constexpr std::pair<std::string_view, std::string_view> translations[] = {
    {"yes", "ja"},
    {"no", "nein"},
    {"left", "links"},
    {"right", "rechts"},
    {"upper left", "oben links"},
    {"upper right", "oben rechts"},
    {"lower left", "unten links"},
    {"lower right", "unten rechts"},
    {"bright", "helle"},
    {"dark", "dunkle"},
    {"equal", "gleich viele"},
    {"red", "rot"},
    {"blue", "blau"},
    {"green", "grün"},
    {"orange", "orange"},
    {"purple", "violett"},
    {"pink", "rosa"},
    {"grey", "grau"},
    {"bright spots", "helle Flecken"},
    {"dark spots", "dunkle Flecken"},
    {"bumps", "Vorwölbungen"},
    {"purple nuclei", "violette Kerne"},
    {"brown nuclei", "braune Kerne"},
    {"bars", "Balken"},
    {"lines", "Linien"},
    {"slices", "Stücke"},
    {"the largest bright spot", "der größte helle Fleck"},
    {"the largest dark spot", "der größte dunkle Fleck"},
    {"the largest bump", "die größte Vorwölbung"},
    {"the largest purple nucleus", "der größte violette Kern"},
    {"the dark opening", "die dunkle Öffnung"},
    {"There is no bright spot.", "Es gibt keinen hellen Fleck."},
    {"There is no dark spot.", "Es gibt keinen dunklen Fleck."},
    {"There is no bump.", "Es gibt keine Vorwölbung."},
    {"There is no legend.", "Es gibt keine Legende."},
    {"There is no title.", "Es gibt keinen Titel."},
    {"There is no label on the x axis.", "Die x-Achse hat keine Beschriftung."},
    {"liver", "Leber"},
    {"spleen", "Milz"},
    {"stomach", "Magen"},
    {"kidney", "Niere"},
    {"lung", "Lunge"},
    {"heart", "Herz"},
    {"cerebrum", "Großhirn"},
    {"cerebellum", "Kleinhirn"},
    {"none of the organs", "in keinem Organ"},
    {"CT", "CT"},
    {"MR", "MR"},
    {"X-ray", "Röntgenbild"},
    {"ultrasound", "Ultraschall"},
    {"endoscopy", "Endoskopie"},
    {"tissue", "Gewebe"},
};

std::string filled(std::string_view text, const Slots& slots, bool german)
{
    std::string result;
    while (!text.empty()) {
        const std::size_t open = std::min(text.find('{'), text.size());
        result += text.substr(0, open);
        text.remove_prefix(open);
        if (text.empty()) {
            break;
        }
        const std::size_t close = text.find('}');
        std::string slot(text.substr(1, close - 1));
        const bool capital = slot[0] >= 'A' && slot[0] <= 'Z';
        slot[0] = char(capital ? slot[0] - 'A' + 'a' : slot[0]);
        for (const auto& [key, value] : slots) {
            if (key == slot) {
                std::string word = german ? *inGerman(value) : value;
                if (capital && word[0] >= 'a' && word[0] <= 'z') {
                    word[0] = char(word[0] - 'a' + 'A');
                }
                result += word;
            }
        }
        text.remove_prefix(close + 1);
    }
    return result;
}

}  // namespace

std::optional<std::string> inGerman(std::string_view english)
{
    if (english.find_first_not_of("0123456789") == std::string_view::npos) {
        return std::string(english);
    }
    for (const auto& [from, to] : translations) {
        if (from == english) {
            return std::string(to);
        }
    }
    return std::nullopt;
}

Wording ask(Random& random, std::string_view key, const Slots& slots, bool german)
{
    const auto found = std::find_if(questions().begin(), questions().end(),
                                    [&](const Question& one) { return one.key == key; });
    if (found == questions().end()) {
        throw Error("The question \"" + std::string(key) + "\" has no wording.");
    }
    german = german && random.chance(15) && !found->german.empty() &&
        std::all_of(slots.begin(), slots.end(),
                    [](const auto& slot) { return inGerman(slot.second).has_value(); });
    return {filled(random.pick(german ? found->german : found->english), slots, german), german};
}

std::vector<std::string> allWordings()
{
    std::vector<std::string> all;
    for (const Question& question : questions()) {
        all.insert(all.end(), question.english.begin(), question.english.end());
        all.insert(all.end(), question.german.begin(), question.german.end());
    }
    for (const auto& [from, to] : translations) {
        all.emplace_back(from);
        all.emplace_back(to);
    }
    return all;
}

}  // namespace inference::mini
