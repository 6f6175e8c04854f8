using System.Data.Common;
using System.Text.RegularExpressions;
using Dure.Host.Data;
using Dure.Host.Live;

namespace Dure.Host.Identity;

/// <summary>An account. The hash of its password stays in the database.</summary>
/// <param name="Name">The owner of what is made with it.</param>
/// <param name="Provider">The identity provider that vouches for it; null for none.</param>
internal sealed record Person(
    string Name, string DisplayName, Role Role, string? Email, bool HasPassword, string? Provider, string? Subject, DateTimeOffset CreatedAt, DateTimeOffset? DisabledAt);

/// <summary>What is to change of an account; null leaves it.</summary>
internal sealed record PersonChange(string? DisplayName, Role? Role, string? Email, bool? Disabled);

/// <summary>Accounts: all SQL about them, and all of them in memory, so that every request is checked without the database.</summary>
internal sealed partial class PeopleStore : IDisposable
{
    /// <summary>What a name must look like, in words.</summary>
    public const string NameExpected = "small letters, digits, dots, dashes and underscores, a letter or digit first, at most 40";

    private const int DisplayMax = 100;
    private const string Enabled = "disabled_at IS NULL";

    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly FreshCopy _fresh;
    private volatile Dictionary<string, Person> _people = new(StringComparer.Ordinal);

    private PeopleStore(Database database, ILive live, TimeProvider time)
    {
        (_database, _time) = (database, time);
        _fresh = new FreshCopy(database, live, "people", LoadAsync);
    }

    /// <summary>Loads the accounts; makes that of the owner, without a password, when there is none at all.</summary>
    public static async ValueTask<PeopleStore> OpenAsync(Database database, ILive live, TimeProvider time, CancellationToken cancel)
    {
        var store = new PeopleStore(database, live, time);
        await store._fresh.LoadAsync(cancel);
        if (store._people.Count == 0)
            await store.AddAsync(new Person(OwnerToken.Name, "Owner", Role.Owner, null, false, null, null, default, null), null, cancel);
        return store;
    }

    /// <summary>What is wrong with what somebody wants an account to be.</summary>
    public static IReadOnlyList<Fault> Check(string? name, string? display, string? email)
    {
        var faults = new List<Fault>();
        if (name is not null && !NameForm().IsMatch(name))
            faults.Add(new Fault("name", NameExpected + "."));
        if (display is not null && (display.Length is 0 or > DisplayMax || display.Any(char.IsControl) || display.Trim() != display))
            faults.Add(new Fault("display_name", $"1 to {DisplayMax} characters, none of them a control character, no space at either end."));
        if (email is { Length: > 0 } && !EmailForm().IsMatch(email))
            faults.Add(new Fault("email", "An address such as ada@lab.example."));
        return faults;
    }

    /// <summary>The account of a name; null for none.</summary>
    public Person? Find(string name) => _people.GetValueOrDefault(name);

    /// <summary>The account that an identity provider vouches for.</summary>
    public Person? FindBy(string provider, string subject) => _people.Values.FirstOrDefault(person => person.Provider == provider && person.Subject == subject);

    /// <summary>All of them by name.</summary>
    public IReadOnlyList<Person> List() => [.. _people.Values.OrderBy(person => person.Name, StringComparer.Ordinal)];

    /// <summary>Whom a link signs in when nobody is named.</summary>
    public Person? FirstOwner() => Find(OwnerToken.Name) is { Role: Role.Owner, DisabledAt: null } owner ? owner
        : _people.Values.Where(person => person is { Role: Role.Owner, DisabledAt: null }).MinBy(person => person.CreatedAt);

    /// <summary>The hash of a password; null when there is none, or no such account.</summary>
    public ValueTask<string?> PasswordAsync(string name, CancellationToken cancel) =>
        _database.ReadAsync(s => s.ScalarAsync<string>("SELECT password FROM people WHERE name = $1", name), cancel);

    /// <summary>Makes an account.</summary>
    public async ValueTask<Outcome<Person>> AddAsync(Person person, string? passwordHash, CancellationToken cancel)
    {
        var added = await _fresh.ChangeAsync(
            s => s.ExecuteAsync(
                """
                INSERT INTO people (name, display_name, role, email, password, provider, subject, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                ON CONFLICT (name) DO NOTHING
                """,
                person.Name, person.DisplayName, person.Role.Word(), person.Email, passwordHash, person.Provider, person.Subject, Now),
            cancel);
        return added > 0 ? Find(person.Name)! : SigninErrors.PersonExists.With($"There is an account '{person.Name}'.");
    }

    /// <summary>Changes an account.</summary>
    /// <returns>As it is now, or why it stays: the last owner can be neither demoted nor disabled.</returns>
    public async ValueTask<Outcome<Person>> ChangeAsync(string name, PersonChange change, CancellationToken cancel)
    {
        var changed = await _fresh.ChangeAsync(
            async s =>
            {
                if ((change.Disabled == true || change.Role is Role.Member or Role.Viewer) && await IsLastOwnerAsync(s, name))
                    return -1;
                return await s.ExecuteAsync(
                    $"""
                    UPDATE people SET display_name = COALESCE($2, display_name), role = COALESCE($3, role), email = CASE WHEN $4 = '' THEN NULL ELSE COALESCE($4, email) END,
                        disabled_at = CASE WHEN $5 = 0 THEN NULL WHEN $5 = 1 THEN COALESCE(disabled_at, $6) ELSE disabled_at END
                    WHERE name = $1
                    """,
                    name, change.DisplayName, change.Role?.Word(), change.Email, change.Disabled switch { null => -1L, true => 1L, false => 0L }, Now);
            },
            cancel);
        return Told(changed, name) is { } refused ? refused : Find(name)!;
    }

    /// <summary>Removes an account; what was made with it stays.</summary>
    public async ValueTask<Problem?> RemoveAsync(string name, CancellationToken cancel) => Told(
        await _fresh.ChangeAsync(
            async s => await IsLastOwnerAsync(s, name) ? -1
                : await s.ExecuteAsync("DELETE FROM people WHERE name = $1", name),
            cancel),
        name);

    /// <summary>Sets a password's hash, and nothing when it is not the one that it was made from any more.</summary>
    /// <param name="instead">The hash that it replaces; null for any.</param>
    public ValueTask<int> SetPasswordAsync(string name, string? hash, string? instead, CancellationToken cancel) => _fresh.ChangeAsync(
        s => s.ExecuteAsync("UPDATE people SET password = $2 WHERE name = $1 AND ($3 = '' OR password = $3)", name, hash, instead ?? ""), cancel);

    /// <summary>Binds an account to who an identity provider says it is.</summary>
    public ValueTask<int> BindAsync(string name, string provider, string subject, CancellationToken cancel) => _fresh.ChangeAsync(
        s => s.ExecuteAsync("UPDATE people SET provider = $2, subject = $3 WHERE name = $1 AND provider IS NULL", name, provider, subject), cancel);

    /// <summary>Keeps the memory fresh until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => _fresh.RunAsync(cancel);

    /// <inheritdoc/>
    public void Dispose() => _fresh.Dispose();

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private static Problem? Told(int changed, string name) => changed switch
    {
        < 0 => SigninErrors.LastOwner.With($"'{name}' is the only owner who can sign in."),
        0 => SigninErrors.NoSuchPerson.With($"There is no account '{name}'."),
        _ => null,
    };

    private static async ValueTask<bool> IsLastOwnerAsync(DbSession s, string name) =>
        await s.ScalarAsync<long>($"SELECT COUNT(*) FROM people WHERE role = 'owner' AND {Enabled} AND name = $1", name) > 0
        && await s.ScalarAsync<long>($"SELECT COUNT(*) FROM people WHERE role = 'owner' AND {Enabled} AND name <> $1", name) == 0;

    private async ValueTask LoadAsync(CancellationToken cancel)
    {
        var rows = await _database.ReadAsync(
            static s => s.QueryAsync("SELECT name, display_name, role, email, CASE WHEN password IS NULL THEN 0 ELSE 1 END, provider, subject, created_at, disabled_at FROM people", Read), cancel);
        _people = rows.ToDictionary(person => person.Name, StringComparer.Ordinal);
    }

    private static Person Read(DbDataReader row) => new(
        row.GetString(0),
        row.GetString(1),
        Roles.Parse(row.GetString(2)) ?? Role.Viewer,
        row.IsDBNull(3) ? null : row.GetString(3),
        Convert.ToInt64(row.GetValue(4), System.Globalization.CultureInfo.InvariantCulture) == 1,
        row.IsDBNull(5) ? null : row.GetString(5),
        row.IsDBNull(6) ? null : row.GetString(6),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(7)),
        row.IsDBNull(8) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(8)));

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,39}\z", RegexOptions.None, 1000)]
    private static partial Regex NameForm();

    [GeneratedRegex(@"\A[^@\s\p{C}]{1,64}@[^@\s\p{C}]{1,190}\z", RegexOptions.None, 1000)]
    private static partial Regex EmailForm();
}
