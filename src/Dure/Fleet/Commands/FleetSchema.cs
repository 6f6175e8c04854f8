using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dure.Fleet.Model;
using Dure.Fleet.Roles;
using Dure.Host.Configuration;

namespace Dure.Fleet.Commands;

/// <summary>The JSON Schema of a fleet's file (draft 2020-12), for editors: completion, and a first look at mistakes. `dure check` is the judge.</summary>
internal static class FleetSchema
{
    public static string Text() => Schema().ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n";

    private static JsonObject Schema() => new()
    {
        ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
        ["title"] = "dure.yaml",
        ["type"] = "object",
        ["required"] = new JsonArray("machines"),
        ["properties"] = new JsonObject
        {
            ["fleet"] = Closed("What the fleet is called and how it is reached.", new()
            {
                ["name"] = Of("string", "The fleet's name."),
                ["domain"] = Of("string", "Under which the world knows it."),
                ["mail"] = Of("string", "Whom certificates and alerts name."),
                ["secrets"] = Of("string", "Folder of secrets, beside this file."),
                ["ssh"] = Closed("How machines are reached.", new()
                {
                    ["user"] = Of("string", "Who signs in; without, what ssh_config says."),
                    ["config"] = Of("string", "An OpenSSH configuration file of the fleet's own."),
                }),
            }),
            ["networks"] = Named("The networks that machines have addresses on.", Closed("A network.", new()
            {
                ["range"] = Of("string", "Such as 192.168.100.0/24."),
                ["vip"] = Of("string", "The virtual address that clients use."),
            })),
            ["machines"] = Named("Every machine.", Machine()),
            ["roles"] = Closed("Settings of the roles.", new(RoleKinds.Named.Where(role => role.Settings.Count > 0).Select(role => KeyValuePair.Create(role.Name, (JsonNode?)Role(role))))),
            ["objectives"] = Closed("The longest that clients may notice a loss, by tier.", new(RoleKinds.Tiers.Select(tier => KeyValuePair.Create(tier, (JsonNode?)Closed("", new()
            {
                ["machine"] = Of("string", "After the loss of a machine, such as 25s."),
                ["process"] = Of("string", "After the loss of a process."),
                ["lost"] = Of("integer", "Acknowledged writes that may be lost."),
            }))))),
        },
    };

    private static JsonObject Machine()
    {
        var machine = Closed("A machine.", new()
        {
            ["address"] = Of("string", "What OpenSSH is given: a host, user@host, or an alias."),
            ["port"] = Of("integer", "Of SSH."),
            ["os"] = new JsonObject { ["enum"] = new JsonArray([.. MachineReader.Systems.Select(system => JsonValue.Create(system))]) },
            ["zone"] = Of("string", "What fails together: a room, a rack, a power line."),
            ["networks"] = new JsonObject { ["type"] = "object", ["description"] = "Its address on each network.", ["additionalProperties"] = Of("string", "An address.") },
            ["hardware"] = Closed("What it is made of.", new()
            {
                ["cores"] = Of("integer", "Processor cores."), ["memory"] = Of("string", "Such as 16GiB."), ["disk"] = Of("string", "Such as 200GiB."), ["gpus"] = Of("integer", "GPUs."),
            }),
            ["labels"] = Words("Words of your own; cost=49 is what it costs a month, host=NAME what it is a virtual machine on."),
            ["disks"] = new JsonObject
            {
                ["type"] = "object",
                ["additionalProperties"] = Closed("A mount.", new() { ["device"] = Of("string", "What is mounted."), ["type"] = Of("string", "Its file system."), ["options"] = Of("string", "As in fstab.") }),
            },
            ["roles"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["enum"] = new JsonArray([.. RoleKinds.Named.Select(role => JsonValue.Create(role.Name))]) } },
        });
        machine["required"] = new JsonArray("address");
        return machine;
    }

    private static JsonObject Role(RoleKind role) => Closed(role.Purpose, new(role.Settings.Select(setting => KeyValuePair.Create(setting.Name, (JsonNode?)SettingOf(setting)))));

    private static JsonObject SettingOf(Setting setting) => new()
    {
        ["description"] = $"{setting.Doc}{(setting.Range.Length > 0 ? $" ({setting.Range})" : "")}",
        ["default"] = setting.Default,
        ["type"] = new JsonArray("string", "number", "boolean", "array"),
    };

    private static JsonObject Of(string type, string description) => new() { ["type"] = type, ["description"] = description };

    private static JsonObject Words(string description) => new() { ["type"] = "array", ["description"] = description, ["items"] = new JsonObject { ["type"] = "string" } };

    private static JsonObject Named(string description, JsonObject value) =>
        new() { ["type"] = "object", ["description"] = description, ["propertyNames"] = new JsonObject { ["pattern"] = FleetReader.NameText }, ["additionalProperties"] = value };

    private static JsonObject Closed(string description, JsonObject properties) =>
        new() { ["type"] = "object", ["description"] = description, ["additionalProperties"] = false, ["properties"] = properties };
}
