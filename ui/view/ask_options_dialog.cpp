#include "ui/view/ask_options_dialog.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>

#include <limits>

namespace ui {

AskOptionsDialog::AskOptionsDialog(const AskOptions& options, QWidget* parent)
    : QDialog(parent)
    , m_options(options)
{
    using Preset = inference::SystemPrompt::Preset;
    setObjectName("askOptions");
    setWindowTitle(tr("How questions are asked"));
    auto* form = new QFormLayout(this);
    form->setContentsMargins(16, 16, 16, 16);
    form->setHorizontalSpacing(16);
    form->setVerticalSpacing(8);

    auto* system = new QComboBox;
    system->setObjectName("systemPreset");
    system->addItem(tr("Default: that of InternVL's chat()"), int(Preset::Default));
    system->addItem(tr("None, as in the training of KVL"), int(Preset::None));
    system->addItem(tr("Thinking: asks for its reasoning first"), int(Preset::Thinking));
    system->addItem(tr("Own"), int(Preset::Own));
    system->setCurrentIndex(system->findData(int(options.system.preset)));
    form->addRow(tr("System message"), system);
    auto* own = new QPlainTextEdit(QString::fromStdString(options.system.text));
    own->setObjectName("systemText");
    own->setFixedHeight(own->fontMetrics().lineSpacing() * 5);
    own->setVisible(options.system.preset == Preset::Own);
    form->addRow(QString(), own);

    auto* temperature = new QDoubleSpinBox;
    temperature->setObjectName("temperature");
    temperature->setRange(0, 2);
    temperature->setSingleStep(0.1);
    temperature->setSpecialValueText(tr("0 (greedy, always the same answer)"));
    temperature->setValue(options.sampling.temperature);
    form->addRow(tr("Temperature"), temperature);
    auto* topP = new QDoubleSpinBox;
    topP->setRange(0.01, 1);
    topP->setSingleStep(0.05);
    topP->setValue(double(options.sampling.topP));
    form->addRow(tr("Top p"), topP);
    auto* topK = new QSpinBox;
    topK->setRange(0, 1'000'000);
    topK->setSpecialValueText(tr("all"));
    topK->setValue(options.sampling.topK);
    form->addRow(tr("Top k"), topK);
    auto* seed = new QSpinBox;
    seed->setRange(0, std::numeric_limits<int>::max());
    seed->setValue(
        int(std::min<std::uint64_t>(options.sampling.seed, std::uint64_t(seed->maximum()))));
    form->addRow(tr("Seed"), seed);
    auto* tokens = new QSpinBox;
    tokens->setObjectName("maxNewTokens");
    tokens->setRange(1, 1'000'000);
    tokens->setGroupSeparatorShown(true);
    tokens->setSingleStep(256);
    tokens->setValue(options.maxNewTokens);
    tokens->setSuffix(tr(" tokens"));
    form->addRow(tr("Longest answer"), tokens);
    auto* close = new QPushButton(tr("Close"));
    connect(close, &QPushButton::clicked, this, &QDialog::close);
    form->addRow(QString(), close);

    const auto sampled = [=](double value) {
        for (QWidget* widget : {static_cast<QWidget*>(topP), static_cast<QWidget*>(topK),
                                static_cast<QWidget*>(seed)}) {
            widget->setEnabled(value > 0);
        }
    };
    sampled(options.sampling.temperature);
    const auto take = [this](const auto& set) {
        return [this, set](const auto& value) {
            set(m_options, value);
            Q_EMIT changed(m_options);
        };
    };
    connect(system, &QComboBox::currentIndexChanged, this, [this, system, own](int) {
        m_options.system.preset = Preset(system->currentData().toInt());
        own->setVisible(m_options.system.preset == Preset::Own);
        Q_EMIT changed(m_options);
    });
    connect(own, &QPlainTextEdit::textChanged, this, [this, own] {
        m_options.system.text = own->toPlainText().toStdString();
        Q_EMIT changed(m_options);
    });
    connect(temperature, &QDoubleSpinBox::valueChanged, this,
            take([](AskOptions& o, double v) { o.sampling.temperature = v; }));
    connect(temperature, &QDoubleSpinBox::valueChanged, this, sampled);
    connect(topP, &QDoubleSpinBox::valueChanged, this,
            take([](AskOptions& o, double v) { o.sampling.topP = v; }));
    connect(topK, &QSpinBox::valueChanged, this,
            take([](AskOptions& o, int v) { o.sampling.topK = v; }));
    connect(seed, &QSpinBox::valueChanged, this,
            take([](AskOptions& o, int v) { o.sampling.seed = std::uint64_t(v); }));
    connect(tokens, &QSpinBox::valueChanged, this,
            take([](AskOptions& o, int v) { o.maxNewTokens = v; }));
}

}  // namespace ui
