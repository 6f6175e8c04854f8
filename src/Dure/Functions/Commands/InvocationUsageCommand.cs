using System.CommandLine;
using System.Globalization;
using Dure.Host;
using Dure.Host.Commands;
using Dure.Host.Configuration;
using Dure.Host.Terminal;
using Dure.Host.Web;

namespace Dure.Functions.Commands;

/// <summary><c>dure invocation usage</c>.</summary>
internal static class InvocationUsageCommand
{
    private const int UsualRows = 30;
    private static readonly Option<int> Rows = new("--rows") { Description = "Rows at most.", HelpName = "COUNT", DefaultValueFactory = _ => UsualRows };

    public static Verb Make() =>
        new Verb("usage", "Show the memory and processor that an invocation used over time.",
            ("dure inv usage 01K5ZQ8Y3V4M2", "from its start to its end"),
            ("dure inv usage 01K5ZQ8Y3V4M2 --rows 1000 --format json", "for a program"))
        .With(InvocationCommands.Id, Rows)
        .Calls(async (call, client, cancel) =>
        {
            if (call.Get(Rows) is < 1 or > 4000)
            {
                return CommandErrors.Usage.With("--rows wants a number from 1 to 4000.");
            }

            var got = await client.GetAsync($"{InvocationCommands.PathOf(call.Get(InvocationCommands.Id)!)}/usage?buckets={call.Get(Rows)}", CommandJson.Default.Series, cancel);
            if (!got.Ok)
            {
                return got.Problem;
            }

            if (call.Screen.Format == OutputFormat.Json)
            {
                call.Screen.Json(got.Value, CommandJson.Default.Series);
                return ExitCodes.Ok;
            }

            Print(call.Screen, got.Value);
            return ExitCodes.Ok;
        });

    private static void Print(Screen screen, Series series)
    {
        var (memory, cpu) = (series.Lines.Single(line => line.Name == "memory"), series.Lines.Single(line => line.Name == "cpu"));
        var rows = Enumerable.Range(0, memory.Count.Length).Where(i => memory.Count[i] > 0).Select(i => (IReadOnlyList<string>)
        [
            DateTimeOffset.FromUnixTimeMilliseconds(series.From + i * series.StepMs).ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
            Phrase.Size((long)memory.Mean[i]!.Value), Phrase.Size((long)memory.Max[i]!.Value), Cores(cpu.Mean[i]), Cores(cpu.Max[i]),
        ]).ToList();
        if (rows.Count == 0)
        {
            screen.Note("Nothing was measured: it has not run for a second.");
            return;
        }

        screen.Table([new("time"), new("memory", RightAligned: true), new("at most", RightAligned: true), new("cores", RightAligned: true), new("at most", RightAligned: true)], rows);
    }

    private static string Cores(double? cores) => cores?.ToString("0.00", CultureInfo.InvariantCulture) ?? "-";
}
