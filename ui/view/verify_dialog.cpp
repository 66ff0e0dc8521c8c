#include "ui/view/verify_dialog.h"

#include "ui/view/theme.h"

#include <QClipboard>
#include <QEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QStyle>
#include <QTreeWidget>

namespace ui {
namespace {

using State = inference::VerifyCheck::State;

enum Column { Check, Result, Expected, Found, Seconds };

constexpr int stateRole = Qt::UserRole;

}  // namespace

VerifyDialog::VerifyDialog(EngineThread& engine, const Settings& settings, QWidget* parent)
    : QDialog(parent)
    , m_engine(engine)
    , m_settings(settings)
{
    setObjectName("verifyDialog");
    setWindowTitle(tr("Verify engine"));
    setModal(false);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 16, 16, 16);
    column->setSpacing(12);
    const auto label = [&](const char* name, const char* role) {
        auto* made = new QLabel;
        made->setObjectName(name);
        made->setTextFormat(Qt::PlainText);
        made->setWordWrap(true);
        made->setProperty("kvlRole", role);
        column->addWidget(made);
        return made;
    };
    label("verifyHint", "secondary")
        ->setText(tr("Holds the engine against its references on this machine: token ids of "
                     "Hugging Face's tokenizer, hashes of Pillow's pictures, logits and tokens "
                     "that PyTorch and transformers computed from a small random model, and this "
                     "model's own answers, prompt in parts against prompt at once and kept "
                     "against cold. Takes about 10 seconds and the time of 120 tokens and two "
                     "pictures."));
    m_model = label("verifyModel", "");

    m_checks = new QTreeWidget;
    m_checks->setObjectName("verifyChecks");
    m_checks->setHeaderLabels(
        {tr("Check"), tr("Result"), tr("Expected"), tr("Found"), tr("Seconds")});
    m_checks->setRootIsDecorated(false);
    m_checks->setUniformRowHeights(true);
    m_checks->setSelectionMode(QAbstractItemView::NoSelection);
    m_checks->setFocusPolicy(Qt::TabFocus);
    m_checks->header()->setStretchLastSection(false);
    m_checks->header()->setSectionResizeMode(Check, QHeaderView::Interactive);
    m_checks->header()->setSectionResizeMode(Found, QHeaderView::Stretch);
    const int letter = fontMetrics().averageCharWidth();
    m_checks->setColumnWidth(Check, 50 * letter);
    m_checks->setColumnWidth(Result, 10 * letter);
    m_checks->setColumnWidth(Expected, 30 * letter);
    m_checks->setColumnWidth(Seconds, 10 * letter);
    column->addWidget(m_checks, 1);

    m_progress = new QProgressBar;
    m_progress->setObjectName("verifyProgress");
    m_progress->setTextVisible(false);
    m_progress->setFixedHeight(4);
    column->addWidget(m_progress);
    m_now = label("verifyNow", "secondary");
    m_result = label("verifyResult", "");
    m_result->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);

    auto* buttons = new QHBoxLayout;
    const auto button = [&](const char* name, const QString& text) {
        auto* made = new QPushButton(text);
        made->setObjectName(name);
        made->setAutoDefault(false);
        buttons->addWidget(made);
        return made;
    };
    m_copy = button("verifyCopy", tr("Copy the result"));
    buttons->addStretch(1);
    m_stop = button("verifyStop", tr("Stop"));
    m_start = button("verifyStart", tr("Verify"));
    m_start->setDefault(true);
    connect(button("verifyClose", tr("Close")), &QPushButton::clicked, this, &QDialog::close);
    column->addLayout(buttons);

    connect(m_copy, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(m_line); });
    connect(m_stop, &QPushButton::clicked, this, [this] {
        m_engine.stopVerify();
        m_stop->setEnabled(false);
        m_now->setText(tr("Stopping…"));
    });
    connect(m_start, &QPushButton::clicked, this, &VerifyDialog::start);
    connect(&m_engine, &EngineThread::stateChanged, this, &VerifyDialog::showEngine);
    connect(&m_engine, &EngineThread::verifyingChanged, this, &VerifyDialog::showEngine);
    connect(&m_engine, &EngineThread::checkBegan, this,
            [this](const inference::VerifyCheck& check, int index, int total) {
                m_progress->setRange(0, total);
                m_progress->setValue(index);
                m_now->setText(tr("%1 of %2: %3, %4")
                                   .arg(index + 1)
                                   .arg(total)
                                   .arg(QString::fromStdString(check.group),
                                        QString::fromStdString(check.name)));
            });
    connect(&m_engine, &EngineThread::checkEnded, this,
            [this](const inference::VerifyCheck& check, int, int) { addCheck(check); });
    connect(&m_engine, &EngineThread::verified, this,
            [this](const inference::VerifyReport& report) {
                m_line = QString::fromStdString(report.line());
                showResult(m_line, report.passed() ? "" : "error");
            });
    connect(&m_engine, &EngineThread::verifyFailed, this, [this](const QString& sentence) {
        m_line.clear();
        showResult(sentence.isEmpty() ? tr("Stopped; the checks above are what was run.")
                                      : sentence,
                   sentence.isEmpty() ? "secondary" : "error");
    });
    showLast();
    showEngine();
    resize(152 * letter, 34 * fontMetrics().lineSpacing());
}

void VerifyDialog::start()
{
    m_checks->clear();
    m_line.clear();
    showResult({}, "");
    m_progress->setRange(0, 0);
    m_now->setText(m_engine.isBusy() ? tr("Waits for the answer that is running…")
                                     : tr("Beginning…"));
    m_engine.verify();
}

/// What is known from before.
void VerifyDialog::showLast()
{
    const auto& info = m_engine.info();
    for (const Verification& one : m_settings.verifications()) {
        if (one.modelHash == QString::fromStdString(info.modelHash) &&
            one.device == QString::fromStdString(info.device) &&
            one.dtype == QString::fromStdString(info.dtype)) {
            m_line = one.line;
            showResult(tr("Last time, %1: %2")
                           .arg(QLocale().toString(one.when, QLocale::ShortFormat), one.line),
                       one.passed ? "secondary" : "error");
            return;
        }
    }
    showResult({}, "");
}

void VerifyDialog::showEngine()
{
    const bool ready = m_engine.state() == EngineThread::State::Ready;
    const bool running = m_engine.isVerifying();
    const auto& info = m_engine.info();
    m_model->setText(ready ? tr("%1 on %2 in %3")
                                 .arg(QString::fromStdString(info.name),
                                      QString::fromStdString(info.device),
                                      QString::fromStdString(info.dtype))
                           : tr("No model is loaded, so there is nothing to verify."));
    m_start->setEnabled(ready && !running);
    m_start->setText(m_checks->topLevelItemCount() > 0 ? tr("Verify again") : tr("Verify"));
    m_stop->setEnabled(running);
    m_progress->setVisible(running);
    m_now->setVisible(running);
}

void VerifyDialog::addCheck(const inference::VerifyCheck& check)
{
    auto* row = new QTreeWidgetItem(m_checks);
    const QString name = QString::fromStdString(check.group) + QStringLiteral(": ") +
        QString::fromStdString(check.name);
    row->setText(Check, name);
    row->setText(Result,
                 check.state == State::Passed       ? tr("ok")
                     : check.state == State::Failed ? tr("failed")
                                                    : tr("not run"));
    row->setText(Expected, QString::fromStdString(check.expected));
    row->setText(Found, QString::fromStdString(check.found));
    if (check.state != State::NotRun) {
        row->setText(Seconds, QLocale().toString(check.seconds, 'f', 2));
    }
    row->setTextAlignment(Seconds, Qt::AlignRight | Qt::AlignVCenter);
    for (const Column column : {Check, Expected, Found}) {
        row->setToolTip(column, row->text(column));
    }
    row->setData(Result, stateRole, int(check.state));
    colourChecks();
    m_checks->scrollToItem(row);
}

void VerifyDialog::colourChecks()
{
    const Theme& theme = currentTheme();
    for (int i = 0; i < m_checks->topLevelItemCount(); ++i) {
        QTreeWidgetItem* row = m_checks->topLevelItem(i);
        const auto state = State(row->data(Result, stateRole).toInt());
        const QColor colour = state == State::Failed ? theme.error
            : state == State::Passed                 ? theme.palette.color(QPalette::Text)
                                                     : theme.secondaryText;
        for (const Column column : {Check, Result, Expected, Found, Seconds}) {
            row->setForeground(column, colour);
        }
    }
}

void VerifyDialog::showResult(const QString& text, const char* role)
{
    m_result->setText(text);
    m_result->setProperty("kvlRole", role);
    m_result->style()->unpolish(m_result);
    m_result->style()->polish(m_result);
    m_copy->setEnabled(!m_line.isEmpty());
}

void VerifyDialog::changeEvent(QEvent* event)
{
    QDialog::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::StyleChange) {
        colourChecks();
    }
}

void VerifyDialog::done(int result)
{
    m_engine.stopVerify();
    QDialog::done(result);
}

}  // namespace ui
