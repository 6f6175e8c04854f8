using System.Diagnostics.CodeAnalysis;
using Spectre.Console;

namespace Dure.Host.Terminal;

/// <summary>Shows on a terminal what is being done right now, and for how long; elsewhere says each step in a line.</summary>
public sealed class Working
{
    private readonly Screen _screen;
    private readonly StatusContext? _status;
    private readonly long _began;
    private string _step;

    private Working(Screen screen, StatusContext? status, string step)
    {
        (_screen, _status, _step) = (screen, status, step);
        _began = screen.Time.GetTimestamp();
    }

    /// <summary>Runs the work with its first step's name.</summary>
    public static async Task<T> RunAsync<T>(Screen screen, string step, Func<Working, Task<T>> work)
    {
        if (!screen.Chatty)
        {
            return await work(new Working(screen, null, step));
        }

        return await screen.Talk.Status().Spinner(Spinner.Known.Line).StartAsync(Markup.Escape(step), status => work(new Working(screen, status, step)));
    }

    /// <summary>The next step begins.</summary>
    public void Say(string step)
    {
        _step = step;
        if (_status is null)
        {
            _screen.Say(step);
        }
        else
        {
            Show("");
        }
    }

    /// <summary>A line that stays, such as a compiler's.</summary>
    public void Log(string line) => _screen.Say(line);

    /// <summary>Takes the amount that is done of a total and shows the share.</summary>
    public IProgress<long> Of(long total) => new Share(this, total);

    private void Show(string more)
    {
        var seconds = _screen.Time.GetElapsedTime(_began).TotalMilliseconds;
        _status?.Status(Markup.Escape($"{_step}{more} ({Phrase.Took(seconds)})"));
    }

    [SuppressMessage("Design", "MA0095", Justification = "Reports come from one thread.")]
    private sealed class Share(Working working, long total) : IProgress<long>
    {
        private const int BarLength = 24;
        private long _lastPercent = -1;

        public void Report(long value)
        {
            var percent = total == 0 ? 100 : value * 100 / total;
            if (percent != _lastPercent)
            {
                _lastPercent = percent;
                var filled = (int)(percent * BarLength / 100);
                working.Show($" [{new string('=', filled)}{new string(' ', BarLength - filled)}] {percent} %");
            }
        }
    }
}
