using System.Globalization;
using Dure.Drill;
using Dure.Drill.Storage;

DrillOptions options;
try
{
    options = DrillOptions.Read(args);
}
catch (FormatException error)
{
    await Console.Error.WriteLineAsync(error.Message);
    return 2;
}
return options switch
{
    { PowerCuts: > 0 } => await new PowerCutDrill(options).RunAsync(options.PowerCuts),
    { Storage: true } => await new StorageDrill(options).RunAsync(),
    { Prove: true } => await Proof.RunAsync(options),
    _ => await new Drill(options).RunAsync(),
};

namespace Dure.Drill
{
    /// <summary>What the command line asks for.</summary>
    /// <param name="Count">Faults in all.</param>
    /// <param name="Minutes">They are spread over this time.</param>
    /// <param name="Data">An existing folder for the data; null for one of its own.</param>
    /// <param name="SmallDisk">The data lies on a file system of its own that may be filled.</param>
    /// <param name="Program">Another build of dure; null for the one beside this program.</param>
    /// <param name="Only">Only this kind of fault; null for all.</param>
    /// <param name="Loose">Times are printed but not asserted: the machine is known to be busy.</param>
    /// <param name="Storage">The drill of the object store and its second copy.</param>
    /// <param name="PowerCuts">How often the power is cut under the object store; 0 for another drill.</param>
    internal sealed record DrillOptions(int Seed, int Count, double Minutes, string? Data, bool SmallDisk, string? Program, string? Only, bool Prove, bool Loose, bool Storage, int PowerCuts)
    {
        public const string Usage = "Dure.Drill [--seed N] [--faults N] [--minutes M] [--data DIR] [--small-disk MIB] [--program PATH] [--only KIND] [--loose | --if-calm] | --prove [--seed N] | --storage [--minutes M] | --power-cuts N";

        public static DrillOptions Read(string[] args)
        {
            var options = new DrillOptions(Random.Shared.Next(1_000_000), 300, 6, null, false, null, null, false, false, false, 0);
            for (var i = 0; i < args.Length; i++)
            {
                string Value() => ++i < args.Length ? args[i] : throw new FormatException(Usage);
                options = args[i] switch
                {
                    "--seed" => options with { Seed = int.Parse(Value(), CultureInfo.InvariantCulture) },
                    "--faults" => options with { Count = int.Parse(Value(), CultureInfo.InvariantCulture) },
                    "--minutes" => options with { Minutes = double.Parse(Value(), CultureInfo.InvariantCulture) },
                    "--data" => options with { Data = Value() },
                    "--small-disk" => options with { SmallDisk = true },
                    "--program" => options with { Program = Value() },
                    "--only" => options with { Only = Value() },
                    "--prove" => options with { Prove = true },
                    "--storage" => options with { Storage = true },
                    "--power-cuts" => options with { PowerCuts = int.Parse(Value(), CultureInfo.InvariantCulture) },
                    "--loose" => options with { Loose = true },
                    "--if-calm" => options with { Loose = Busy() },
                    _ => throw new FormatException(Usage),
                };
            }
            return options;
        }

        // When others have half of the machine, what would be measured is the machine.
        private static bool Busy()
        {
            var (busyBefore, allBefore) = Machine.Ticks();
            Thread.Sleep(TimeSpan.FromSeconds(1));
            var (busy, all) = Machine.Ticks();
            return 2 * (busy - busyBefore) > all - allBefore;
        }
    }
}
