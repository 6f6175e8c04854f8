using Dure.Fleet;
using Dure.Fleet.Model;
using Dure.Host;
using Xunit;

namespace Dure.Test.Fleet.Model;

public sealed class FleetFileFaultsTest
{
    public static TheoryData<string> Names => [.. FaultCases.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_fault_is_told_with_its_place_and_what_would_be_right(string name)
    {
        var (text, said) = FaultCases.All[name];
        var faults = Faults(text);
        Assert.Equal(said.Length, faults.Count);
        foreach (var (fault, words) in faults.Zip(said))
            Assert.True(Says(fault, words), $"{fault.Where} {fault.What}\nwas to say: {words}");
    }

    [Fact]
    public void Without_its_fault_each_file_would_be_good()
    {
        // What stands around the faults is not what is told.
        Assert.True(FleetFile.Read(FaultCases.Machine, "dure.yaml", "/").Ok);
        Assert.False(Says(new Fault("dure.yaml:2:3", "one thing"), "2:4 one"));
        Assert.False(Says(new Fault("dure.yaml:2:3", "one thing"), "2:3 another"));
    }

    [Fact]
    public void All_faults_of_a_file_are_told_at_once_in_their_order()
    {
        var faults = Faults("""
            fleet:
              nam: lab
            networks:
              internal: {range: 10.0.0.7/8}
            machines:
              N1: {address: 10.0.0.1}
              b: {address: 10.0.0.2, os: debian12, roles: [redis, balncer]}
            roles:
              firewall: {shh: anywhere}
            objectives:
              postgre: {machine: 5s}
            functions:
              payload_limt: 1GiB
            """);
        Assert.Equal(["2:3", "4:21", "6:3", "7:30", "7:55", "9:14", "11:3", "13:3"], faults.Select(fault => fault.Where["dure.yaml:".Length..]));
    }

    [Fact]
    public void A_file_that_is_too_long_is_not_read() =>
        Assert.Contains("longer than", Assert.Single(Faults(FaultCases.Machine + new string('#', FleetFile.LengthMax))).What, StringComparison.Ordinal);

    private static IReadOnlyList<Fault> Faults(string text)
    {
        var read = FleetFile.Read(text, "dure.yaml", "/srv/fleet");
        Assert.Equal(FleetErrors.FileInvalid, read.Problem?.Kind);
        return read.Problem!.Faults;
    }

    private static bool Says(Fault fault, string words)
    {
        var (place, sentence) = (words[..words.IndexOf(' ', StringComparison.Ordinal)], words[(words.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        return (place.Length == 0 || !char.IsAsciiDigit(place[0]) || fault.Where == "dure.yaml:" + place)
            && fault.What.Contains(place.Length == 0 || char.IsAsciiDigit(place[0]) ? sentence : words, StringComparison.OrdinalIgnoreCase);
    }
}
