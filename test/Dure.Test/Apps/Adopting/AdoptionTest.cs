using Dure.Apps;
using Dure.Apps.Adopting;
using Dure.Edge.Foreign;
using Xunit;

namespace Dure.Test.Apps.Adopting;

/// <summary>Units, locations and lists of ports are joined, and what stands in the way is said.</summary>
public sealed class AdoptionTest
{
    private static readonly FoundUnit Unit = new("paper-x.service", "/etc/systemd/system/paper-x.service", "serve", "/srv/x", "ada", 27003, new AppSpec("command", "exec serve"), [], []) { Running = true, Healthy = true };

    private static readonly ForeignLocation Location = new("/thesis/attention/", "/etc/nginx/a.conf", 3, 6, "", "10.0.0.5", 27003, true, null, null);

    private static FoundByHand Found(FoundUnit[] units, ForeignLocation[] locations, string prefix = "/thesis", params string[] published) => new(prefix, "https://lab.example", "edge", units, locations, published, []);

    [Fact]
    public void What_has_the_same_port_is_one_app_and_its_address_says_its_id()
    {
        var one = Assert.Single(Adoption.Join(Found([Unit], [Location]), [new("sparse", 27003, "state.json:2")]));
        Assert.Equal(("attention", "https://lab.example/thesis/attention/", "paper-x.service", "/etc/nginx/a.conf:3", "state.json:2", true), (one.Id, one.Url, one.Unit, one.Location, one.State, one.Ready));
        Assert.Equal("state.json:2 calls it sparse", Assert.Single(one.Notes));
    }

    [Fact]
    public void Whatever_stands_in_the_way_is_said()
    {
        void Says(string what, FoundByHand found, params StateEntry[] state) =>
            Assert.Contains(Adoption.Join(found, state), one => !one.Ready && one.Obstacles.Any(said => said.Contains(what, StringComparison.Ordinal)));
        Says("no location on edge leads to port 27003", Found([Unit], []));
        Says("no service of this machine is known to listen on port 27003", Found([], [Location]));
        Says("no service of this machine is known to listen on port 27009", Found([Unit], [Location]), new StateEntry("gone", 27009, "s:1"));
        Says("port 27003 is also that of paper-y.service", Found([Unit, Unit with { Name = "paper-y.service" }], [Location]));
        Says("several locations lead to it", Found([Unit], [Location, Location with { Path = "/other/", Line = 9 }]));
        Says("cannot be taken over: a.conf:4: if", Found([Unit], [Location with { Refusal = "a.conf:4: if" }]));
        Says("set apps.prefix: /thesis in dure.yaml", Found([Unit], [Location], prefix: "/papers"));
        Says("moves to /papers/attention/", Found([Unit], [Location], prefix: "/papers"));
        Says("cannot be that of an app", Found([Unit], [Location with { Path = "/attention/" }]));
        Says("cannot be that of an app", Found([Unit], [Location with { Path = "/thesis/Not_An_Id/" }]));
        Says("it is not well now", Found([Unit with { Healthy = false }], [Location]));
        Says("attention is published already", Found([Unit], [Location], published: "attention"));
        Says("the id attention is not its alone", Found([Unit, Unit with { Name = "y.service", Port = 27004 }], [Location, Location with { Port = 27004 }]));
    }

    [Fact]
    public void What_is_off_and_no_location_leads_to_is_served_by_nobody()
    {
        var off = Unit with { Running = false, Healthy = false, Off = true, Obstacles = ["the service does not run"] };
        Assert.Empty(Adoption.Join(Found([off], []), [new("sparse", 27003, "state.json:2")]));
        Assert.Equal(["the service does not run"], Assert.Single(Adoption.Join(Found([off], [Location]), [])).Obstacles);
    }

    [Fact]
    public void Locations_of_other_services_are_nobodys_business() => Assert.Empty(Adoption.Join(Found([], [Location with { Port = 8080 }]), []));
}
