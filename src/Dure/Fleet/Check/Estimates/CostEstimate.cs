using System.Globalization;
using Dure.Fleet.Model;

namespace Dure.Fleet.Check.Estimates;

/// <summary>
/// What the fleet costs in a month, roughly: a machine's label <c>cost=49</c> says its price (rent, as a rule) and is believed; for every other one the
/// electricity is estimated from its hardware, or from a label <c>watts=350</c>. Nothing else is known, and the text says so.
/// </summary>
/// <param name="Rent">Sum of the labels, EUR a month.</param>
/// <param name="Power">Electricity of the others, EUR a month.</param>
/// <param name="Watts">Their mean draw.</param>
/// <param name="Guessed">Machines of which neither price nor hardware is known; they are not in the sum.</param>
internal sealed record CostEstimate(decimal Rent, int Rented, decimal Power, double Watts, int Powered, IReadOnlyList<string> Guessed)
{
    /// <summary>EUR for a kilowatt-hour.</summary>
    public const decimal KilowattHour = 0.30m;

    private const double HoursOfMonth = 730;

    /// <summary>Mean draw of a server at moderate load, by part: what power supplies and boards take, each core, each GiB of memory, each GPU. Watts.</summary>
    private const double Base = 35;
    private const double Core = 4;
    private const double Gibibyte = 0.3;
    private const double Gpu = 220;

    public decimal Total => Rent + Power;

    public static CostEstimate Of(FleetModel fleet)
    {
        var (rent, rented, watts, powered, unknown) = (0m, 0, 0.0, 0, new List<string>());
        foreach (var machine in fleet.Machines)
        {
            if (Label(machine, "cost") is { } cost)
                (rent, rented) = (rent + cost, rented + 1);
            else if (WattsOf(machine) is { } draw)
                (watts, powered) = (watts + draw, powered + 1);
            else
                unknown.Add(machine.Name);
        }
        return new(rent, rented, Math.Round((decimal)(watts * HoursOfMonth / 1000) * KilowattHour, 2), watts, powered, unknown);
    }

    /// <summary>In one or two sentences, with what is not in it.</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        if (Rented > 0)
            parts.Add(Words.Text($"{Rent:0.##} for {Words.Count(Rented, "machine")} by label cost"));
        if (Powered > 0)
            parts.Add(Words.Text($"{Power:0} for the electricity of {Words.Count(Powered, "machine")} (estimated {Watts:0} W at {KilowattHour} EUR/kWh)"));
        var sum = parts.Count == 0 ? "Nothing is known that could be added up" : Words.Text($"About {Total:0} EUR a month: {string.Join(", ", parts)}");
        return $"{sum}. Not in it: purchase, cooling, network, people{(Guessed.Count == 0 ? "" : $", and {Words.List(Guessed)}, of which neither hardware nor cost is given")}.";
    }

    private static double? WattsOf(Machine machine) => Label(machine, "watts") is { } measured ? (double)measured
        : machine.Hardware.Cores == 0 ? null
        : Base + (machine.Hardware.Cores * Core) + (machine.Hardware.Memory / (double)(1L << 30) * Gibibyte) + (machine.Hardware.Gpus * Gpu);

    private static decimal? Label(Machine machine, string key) =>
        machine.Labels.FirstOrDefault(label => label.StartsWith(key + "=", StringComparison.Ordinal)) is { } label
            && decimal.TryParse(label.AsSpan(key.Length + 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            ? value : null;
}
