using Dure.Host;
using Dure.Host.Configuration;
using Dure.Host.Identity;
using Dure.Test.Processes;
using Xunit;

namespace Dure.Test.Host.Configuration;

public sealed class OidcSettingsTest
{
    [Fact]
    public void An_identity_provider_is_read_from_the_file_and_the_environment_wins()
    {
        const string file = """
            signin:
              session: 4h
              public_url: https://dure.lab.example/
              proxies: [127.0.0.1, "::1"]
              oidc:
                lab:
                  issuer: https://login.lab.example
                  client_id: dure
                  client_secret_secret: LAB_CLIENT_SECRET
                  label: Lab account
                  role: member
                  allow: ["@Lab.example", guest@else.example]
            """;
        var signin = Load(file, "DURE_SIGNIN_OIDC_LAB_CLIENT_ID=other", "DURE_OIDC_LAB_CLIENT_SECRET=hunter2", "DURE_SIGNIN_OIDC_TWO_ISSUER=http://127.0.0.1:1", "DURE_SIGNIN_OIDC_TWO_CLIENT_ID=x").Value.Options.Signin;
        Assert.Equal((TimeSpan.FromHours(4), "https://dure.lab.example"), (signin.Session, signin.PublicUrl));
        Assert.Equal(["127.0.0.1", "::1"], signin.Proxies);
        var (lab, two) = (signin.Providers[0], signin.Providers[1]);
        Assert.Equal(("lab", "other", "LAB_CLIENT_SECRET", "Lab account", Role.Member), (lab.Name, lab.ClientId, lab.ClientSecretSecret, lab.Label, lab.Role));
        Assert.Equal("DURE_OIDC_LAB_CLIENT_SECRET", lab.SecretVariable);
        Assert.True(lab.Allows("ada@lab.example") && lab.Allows("guest@else.example"));
        Assert.False(lab.Allows("ada@evil-lab.example") || lab.Allows("x@else.example") || lab.Allows(null));
        Assert.Equal(("two", "two", Role.Viewer, "openid profile email"), (two.Name, two.Label, two.Role, two.Scopes));
        Assert.False(two.Allows("ada@lab.example"));
    }

    [Fact]
    public void Every_fault_is_named_where_it_stands()
    {
        const string file = """
            signin:
              public_url: dure.lab.example
              proxies: nginx
              oidc:
                Lab: {}
                lab:
                  issuer: http://login.lab.example
                  client_secret: hunter2
                  role: owner
                  allow: lab.example
                  scopes: email
            """;
        var faults = Load(file).Problem!.Faults;
        foreach (var part in new[] { "signin.public_url must", "signin.proxies must", "expected an address", "secrets do not belong", "expected one of viewer, member", "neither an address", "openid must be", "client_id is missing" })
            Assert.Contains(faults, fault => fault.What.Contains(part, StringComparison.Ordinal));
    }

    private static Outcome<LoadedConfiguration> Load(string file, params string[] environment)
    {
        using var scratch = new Scratch();
        File.WriteAllText(scratch["dure.yaml"], file);
        return ConfigurationLoader.Load(new ConfigurationSources(
            new Dictionary<string, (string, string)>(StringComparer.Ordinal),
            environment.Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal), null, scratch.Path, IsRoot: false));
    }
}
