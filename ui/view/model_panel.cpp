#include "ui/view/model_panel.h"

#include "ui/model/pool.h"
#include "ui/view/memory_bar.h"
#include "ui/view/model_chip.h"
#include "ui/view/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QStyle>

namespace ui {

namespace {

void setRole(QLabel* label, const char* role)
{
    label->setProperty("kvlRole", role);
    label->style()->unpolish(label);
    label->style()->polish(label);
}

}  // namespace

ModelPanel::ModelPanel(EngineThread& engine, Settings& settings, QWidget* parent,
                       MemoryPlanner planner)
    : QDialog(parent)
    , m_engine(engine)
    , m_settings(settings)
    , m_planner(std::move(planner))
{
    setObjectName("modelPanel");
    setWindowTitle(tr("Model"));
    setModal(false);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 16, 16, 16);
    column->setSpacing(12);

    auto* hint = new QLabel(
        tr("A folder with an InternVL checkpoint: config.json, tokenizer files and safetensors."));
    hint->setWordWrap(true);
    hint->setProperty("kvlRole", "secondary");
    column->addWidget(hint);
    auto* row = new QHBoxLayout;
    m_folder = new QComboBox;
    m_folder->setObjectName("modelFolder");
    m_folder->setEditable(true);
    m_folder->setInsertPolicy(QComboBox::NoInsert);
    m_folder->setMinimumContentsLength(36);
    m_folder->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_folder->lineEdit()->setPlaceholderText(tr("Checkpoint folder"));
    m_folder->setAccessibleName(tr("Checkpoint folder"));
    row->addWidget(m_folder, 1);
    auto* choose = new QPushButton(tr("Choose…"));
    choose->setObjectName("chooseModelFolder");
    choose->setAutoDefault(false);
    row->addWidget(choose);
    column->addLayout(row);
    column->addLayout(makeAdapterRow());

    auto* form = new QFormLayout;
    form->setHorizontalSpacing(16);
    form->setVerticalSpacing(4);
    form->setLabelAlignment(Qt::AlignLeft);
    const auto value = [&](const QString& name) {
        auto* label = new QLabel(QStringLiteral("–"));
        label->setTextFormat(Qt::PlainText);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        label->setWordWrap(true);
        auto* title = new QLabel(name);
        title->setProperty("kvlRole", "secondary");
        form->addRow(title, label);
        return label;
    };
    m_name = value(tr("Name"));
    m_family = value(tr("Family"));
    m_size = value(tr("Parameters"));
    m_context = value(tr("Context"));
    m_hash = value(tr("Fingerprint"));
    column->addLayout(form);
    m_demonstration = new QLabel(tr(inference::demonstrationMark));
    m_demonstration->setObjectName("modelDemonstration");
    m_demonstration->setProperty("kvlRole", "warning");
    m_demonstration->hide();
    column->addWidget(m_demonstration);

    auto* how = new QHBoxLayout;
    how->setSpacing(8);
    how->addWidget(new QLabel(tr("Compute on")));
    m_device = new QComboBox;
    m_device->setObjectName("modelDevice");
    m_device->setEditable(true);
    m_device->addItems({"auto", "cpu", "cuda:0"});
    m_device->setToolTip(tr("auto takes the graphics card where there is one"));
    how->addWidget(m_device);
    how->addSpacing(8);
    how->addWidget(new QLabel(tr("in")));
    m_dtype = new QComboBox;
    m_dtype->setObjectName("modelDtype");
    m_dtype->addItems({"auto", "bf16", "fp32"});
    m_dtype->setToolTip(tr("auto takes bf16 where the processor is quick at it, fp32 elsewhere"));
    how->addWidget(m_dtype);
    how->addStretch(1);
    column->addLayout(how);
    const auto line = [&](const char* name) {
        auto* label = new QLabel;
        label->setObjectName(name);
        label->setTextFormat(Qt::PlainText);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
        label->setWordWrap(true);
        label->hide();
        column->addWidget(label);
        return label;
    };
    m_plan = line("memoryPlan");
    m_memory = new MemoryBar;
    column->addWidget(m_memory);
    m_otherPlans = line("otherMemoryPlans");
    setRole(m_otherPlans, "secondary");
    m_atStart = new QCheckBox(tr("Load this model when the program starts"));
    m_atStart->setObjectName("modelAtStart");
    m_atStart->setChecked(settings.loadModelAtStart());
    column->addWidget(m_atStart);

    m_message = new QLabel;
    m_message->setObjectName("modelMessage");
    m_message->setWordWrap(true);
    m_message->setTextFormat(Qt::PlainText);
    m_message->setTextInteractionFlags(Qt::TextSelectableByMouse);
    column->addWidget(m_message);
    m_progress = new QProgressBar;
    m_progress->setObjectName("modelProgress");
    m_progress->setTextVisible(false);
    column->addWidget(m_progress);
    column->addStretch(1);

    auto* buttons = new QHBoxLayout;
    m_unload = new QPushButton(tr("Unload"));
    m_unload->setObjectName("unloadModel");
    m_cancel = new QPushButton(tr("Cancel loading"));
    m_cancel->setObjectName("cancelLoad");
    m_load = new QPushButton(tr("Load"));
    m_load->setObjectName("loadModel");
    m_load->setDefault(true);
    for (QPushButton* button : {m_unload, m_cancel}) {
        button->setAutoDefault(false);
    }
    buttons->addWidget(m_unload);
    buttons->addStretch(1);
    buttons->addWidget(m_cancel);
    buttons->addWidget(m_load);
    column->addLayout(buttons);

    connect(choose, &QPushButton::clicked, this, &ModelPanel::browse);
    connect(m_folder, &QComboBox::textActivated, this, [this] { inspect(); });
    connect(m_folder->lineEdit(), &QLineEdit::editingFinished, this, &ModelPanel::inspect);
    connect(m_load, &QPushButton::clicked, this, &ModelPanel::loadChosen);
    connect(m_unload, &QPushButton::clicked, &m_engine, &EngineThread::unload);
    connect(m_cancel, &QPushButton::clicked, &m_engine, &EngineThread::cancelLoad);
    connect(m_atStart, &QCheckBox::toggled, this,
            [this](bool on) { m_settings.setLoadModelAtStart(on); });
    connect(&m_engine, &EngineThread::stateChanged, this, &ModelPanel::showState);
    // What is free changes with what is loaded; a name is not planned letter by letter.
    m_planSoon.setSingleShot(true);
    m_planSoon.setInterval(150);
    connect(&m_planSoon, &QTimer::timeout, this, &ModelPanel::plan);
    const auto planSoon = qOverload<>(&QTimer::start);
    connect(&m_engine, &EngineThread::stateChanged, &m_planSoon, planSoon);
    connect(m_device, &QComboBox::currentTextChanged, &m_planSoon, planSoon);
    connect(m_dtype, &QComboBox::currentTextChanged, &m_planSoon, planSoon);
    connect(&m_engine, &EngineThread::loadProgress, this, [this](qint64 done, qint64 total) {
        m_progress->setRange(0, 1000);
        m_progress->setValue(total > 0 ? int(done * 1000 / total) : 0);
        if (m_engine.state() == EngineThread::State::Loading) {
            showMessage(tr("%1 of %2 read").arg(byteText(done), byteText(total)), "secondary");
        }
    });

    const inference::LoadOptions last = settings.model();
    m_device->setCurrentText(QString::fromStdString(last.device));
    m_dtype->setCurrentText(QString::fromStdString(last.dtype));
    m_adapter->setText(QString::fromStdString(last.adapter.string()));
    fillRecent();
    if (!last.checkpoint.empty()) {
        setFolder(QString::fromStdString(last.checkpoint.string()));
    }
    showState();
    resize(520, sizeHint().height());
}

/// LoRA weights beside the model. Empty: none; the cross in the field empties it.
QLayout* ModelPanel::makeAdapterRow()
{
    auto* row = new QHBoxLayout;
    m_adapter = new QLineEdit;
    m_adapter->setObjectName("modelAdapter");
    m_adapter->setClearButtonEnabled(true);
    m_adapter->setPlaceholderText(tr("No adapter"));
    m_adapter->setAccessibleName(tr("Adapter folder"));
    m_adapter->setToolTip(tr("A folder with LoRA weights as PEFT and ms-swift write them: "
                             "adapter_config.json, adapter_model.safetensors. They are used beside "
                             "the model, which stays as it is."));
    row->addWidget(m_adapter, 1);
    auto* choose = new QPushButton(tr("Adapter…"));
    choose->setObjectName("chooseAdapterFolder");
    choose->setAutoDefault(false);
    row->addWidget(choose);
    connect(choose, &QPushButton::clicked, this, [this] {
        chooseFolder(tr("Choose an adapter's folder"), adapter(), "adapter",
                     [this](const QString& chosen) { m_adapter->setText(chosen); });
    });
    return row;
}

QString ModelPanel::adapter() const
{
    return m_adapter->text().trimmed();
}

QString ModelPanel::folder() const
{
    return m_folder->currentText().trimmed();
}

void ModelPanel::fillRecent()
{
    const QString now = m_folder->currentText();
    m_folder->clear();
    m_folder->addItems(m_settings.recentModels());
    m_folder->setEditText(now);
}

ModelPanel::~ModelPanel()
{
    // a field that loses the focus while it is destroyed says so to a panel that is no more
    m_folder->lineEdit()->disconnect(this);
}

void ModelPanel::setFolder(const QString& folder)
{
    m_folder->setEditText(QDir::toNativeSeparators(folder));
    inspect();
}

void ModelPanel::browse()
{
    chooseFolder(tr("Choose a checkpoint folder"), folder(), "model",
                 [this](const QString& chosen) { setFolder(chosen); });
}

/// `name` is what Settings remembers the place by.
void ModelPanel::chooseFolder(const QString& title, const QString& now, const QString& name,
                              const std::function<void(const QString&)>& take)
{
    auto* dialog = new QFileDialog(this, title, now.isEmpty() ? m_settings.folder(name) : now);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this, [this, name, take](const QString& chosen) {
        m_settings.setFolder(name, QFileInfo(chosen).absolutePath());
        take(chosen);
    });
    dialog->open();
}

void ModelPanel::inspect()
{
    const QString chosen = folder();
    const int number = ++m_inspection;
    m_known = false;
    plan();  // of the folder before: nothing now
    if (chosen.isEmpty()) {
        return;
    }
    const auto path = std::filesystem::path(chosen.toStdString());
    runOnPool(
        this, [path] { return inference::inspectCheckpoint(path); },
        [this, number](const PoolResult<inference::ModelInfo>& result) {
            if (number != m_inspection) {
                return;
            }
            m_known = result.value.has_value();
            m_info = result.value.value_or(inference::ModelInfo());
            showInfo(m_info);
            if (m_known) {
                showMessage({}, "secondary");
            } else {
                showMessage(result.failure, "error");
            }
            showState();
            plan();
            Q_EMIT inspected(m_known);
        });
}

inference::LoadOptions ModelPanel::asked() const
{
    inference::LoadOptions options;
    options.checkpoint = folder().toStdString();
    options.adapter = adapter().toStdString();
    options.device = m_device->currentText().trimmed().toStdString();
    options.dtype = m_dtype->currentText().toStdString();
    return options;
}

void ModelPanel::plan()
{
    const int number = ++m_planning;
    if (!m_known) {
        m_table.reset();
        showPlan();
        return;
    }
    runOnPool(
        this,
        [planner = m_planner, asked = asked()] {
            return planTable(planner, asked, inference::usableDevices());
        },
        [this, number](const PoolResult<MemoryTable>& result) {
            if (number == m_planning) {
                m_table = result.value;
                showPlan();
                Q_EMIT planned();
            }
        });
}

void ModelPanel::showPlan()
{
    QString text, others;
    bool fits = true;
    std::optional<inference::DevicePlan> first;
    if (m_table) {
        const inference::MemoryPlan& plan = m_table->asked;
        fits = m_table->failure.isEmpty() && plan.fits();
        text = m_table->failure;
        if (text.isEmpty()) {
            text = planSentence(plan);
            text[0] = text[0].toUpper();
            if (!plan.fits()) {
                text += QStringLiteral(". ") + QString::fromStdString(plan.problem);
            }
            if (!plan.devices.empty()) {
                first = plan.devices.front();
            }
        }
        QStringList lines;
        for (const inference::MemoryPlan& other : m_table->others) {
            lines << planSentence(other);
        }
        others = lines.join(QLatin1Char('\n'));
    }
    m_plan->setText(text);
    m_plan->setVisible(!text.isEmpty());
    setRole(m_plan, fits ? "" : "error");
    m_otherPlans->setText(others);
    m_otherPlans->setVisible(!others.isEmpty());
    m_memory->show(first);
    showState();
}

/// Why the model is not loaded as it is asked for; empty where it may be. What a loaded model takes
/// becomes free before another is loaded, so nothing is refused then.
QString ModelPanel::refusal() const
{
    if (!m_table || m_engine.state() == EngineThread::State::Ready) {
        return {};
    }
    return m_table->failure.isEmpty() ? QString::fromStdString(m_table->asked.problem)
                                      : m_table->failure;
}

void ModelPanel::showInfo(const inference::ModelInfo& info)
{
    const QLocale locale;
    const QString none = QStringLiteral("–");
    const auto text = [&](const std::string& value) {
        return value.empty() ? none : QString::fromStdString(value);
    };
    m_name->setText(text(info.name));
    m_family->setText(m_known ? QStringLiteral("%1: %2 + %3")
                                    .arg(text(info.architecture), text(info.visionModel),
                                         text(info.languageModel))
                              : none);
    m_size->setText(m_known ? tr("%1 · stored as %2, %3")
                                  .arg(countText(info.parameters), text(info.storedDtype),
                                       byteText(info.weightBytes))
                            : none);
    m_context->setText(m_known ? tr("%1 tokens · %2 a tile of %3 × %3 px · up to %4 tiles")
                                     .arg(locale.toString(info.contextLength))
                                     .arg(info.tokensPerTile)
                                     .arg(info.tileSize)
                                     .arg(info.maxTiles)
                               : none);
    m_hash->setText(info.modelHash.empty() ? none
                                           : QString::fromStdString(info.modelHash.substr(0, 16)));
}

void ModelPanel::showMessage(const QString& text, const char* role)
{
    m_message->setText(text);
    m_message->setVisible(!text.isEmpty());
    setRole(m_message, role);
}

void ModelPanel::showState()
{
    using State = EngineThread::State;
    const State state = m_engine.state();
    const bool loading = state == State::Loading;
    if (state == State::Failed) {
        showMessage(m_engine.failure(), "error");
    } else if (state == State::Ready) {
        const auto& info = m_engine.info();
        QString text =
            tr("%1 is ready on %2 in %3, loaded in %4 s.")
                .arg(QString::fromStdString(info.name), QString::fromStdString(info.device),
                     QString::fromStdString(info.dtype),
                     QLocale().toString(info.loadSeconds, 'f', 1));
        if (!info.adapter.empty()) {
            text += QLatin1Char(' ') +
                tr("The adapter %1 is beside it, not merged.")
                    .arg(QString::fromStdString(info.adapter));
        }
        showMessage(text, "secondary");
    } else if (state == State::Empty && m_known) {
        showMessage({}, "secondary");
    }
    m_progress->setVisible(loading);
    if (loading && m_progress->value() < 0) {
        m_progress->setRange(0, 0);
    }
    m_cancel->setVisible(loading);
    m_demonstration->setVisible((m_known && m_info.demonstration) ||
                                (state == State::Ready && m_engine.info().demonstration));
    m_unload->setEnabled(state == State::Ready);
    const QString refused = refusal();
    m_load->setEnabled(!loading && m_known && refused.isEmpty());
    m_load->setToolTip(!m_known                 ? tr("Choose a folder with a checkpoint first")
                           : !refused.isEmpty() ? refused
                           : state == State::Ready
                           ? tr("The model that is loaded is unloaded first")
                           : QString());
    m_message->setVisible(!m_message->text().isEmpty());
}

void ModelPanel::loadChosen()
{
    const inference::LoadOptions options = asked();
    m_settings.setModel(options);
    m_settings.addRecentModel(folder());
    fillRecent();
    m_progress->setRange(0, 0);
    m_engine.load(options);
}

}  // namespace ui
