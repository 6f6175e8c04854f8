using System.Text;
using Dure.Edge.Foreign;
using Xunit;

namespace Dure.Test.Edge.Foreign;

/// <summary>Which of somebody's locations can be taken over, and what is left of their files.</summary>
public sealed class ForeignLocationsTest
{
    private const string Folder = "/etc/dure/nginx.d";

    private const string Good = "location /thesis/attention/ {\n    proxy_pass http://10.0.0.5:27003;\n    proxy_http_version 1.1;\n    proxy_set_header Upgrade $http_upgrade;\n    client_max_body_size 100m;\n}";

    private const string Redirect = "location = /thesis/attention { return 301 /thesis/attention/; }";

    // As nginx -T prints it: each file behind its name, with a line break of nginx's own.
    private static ForeignLocations Read(string snippet, string server = "include snippets/*.conf;\ninclude /etc/dure/nginx.d/*.conf;", string more = "")
    {
        (string Name, string Text)[] files =
        [
            ("/etc/nginx/nginx.conf", $"events {{}}\nhttp {{\n{more}\nserver {{\n{server}\n}}\n}}\n"), ("/etc/nginx/snippets/papers.conf", snippet), ("/etc/nginx/proxy_params", "proxy_set_header Host $http_host;\n"),
            ("/etc/nginx/secret", "auth_basic \"Lab\";\n"), ("/etc/dure/nginx.d/other.conf", "location ^~ /papers/other/ { proxy_pass http://10.0.0.5:27000; }\n"),
        ];
        return new(NginxConfiguration.Parse(string.Concat(files.Select(file => $"# configuration file {file.Name}:\n{file.Text}\n"))), Folder);
    }

    private static string Inside(string directives) => $"location /thesis/attention/ {{\n    proxy_pass http://10.0.0.5:27003;\n    {directives}\n}}\n";

    [Fact]
    public void A_location_in_a_snippet_is_found_with_where_it_leads_and_ours_are_left_out()
    {
        var found = Assert.Single(Read($"# papers\n{Good}\n{Redirect}\n").All());
        Assert.Equal(("/thesis/attention/", "/etc/nginx/snippets/papers.conf", 2, 7, "10.0.0.5", 27003, true, 100L << 20, null),
            (found.Path, found.File, found.Line, found.LastLine, found.Host, found.Port, found.KeepsPrefix, found.BodyBytes, found.Refusal));
        Assert.Equal(Good, found.Text);
    }

    [Fact]
    public void The_file_loses_the_block_and_its_redirect_and_nothing_else()
    {
        var files = Read($"# papers\n{Good}\n\n  {Redirect}\nlocation /thesis/other/ {{ return 200 '}}'; }}\n").Without("/thesis/attention", 27003);
        var file = Assert.Single(files.Value);
        Assert.Equal("# papers\n\nlocation /thesis/other/ { return 200 '}'; }\n", Encoding.UTF8.GetString(file.After));
        Assert.Equal(2, file.Lines.Count);
        Assert.Empty(Read("# none\n").Without("/thesis/attention", 27003).Value);
    }

    [Fact]
    public void Bytes_that_are_no_text_stay_as_they_are()
    {
        var before = NginxConfiguration.Bytes.GetString([0x23, 0x20, 0xff, 0xc3, 0xa9, 0x0a]);
        Assert.Equal([0x23, 0x20, 0xff, 0xc3, 0xa9, 0x0a], Assert.Single(Read(before + Good + "\n").Without("/thesis/attention", 27003).Value).After);
    }

    [Theory]
    [InlineData("auth_basic \"Lab\";", "papers.conf:3: auth_basic would be lost")]
    [InlineData("allow 10.0.0.0/8; deny all;", "allow would be lost")]
    [InlineData("if ($request_method = POST) { return 403; }", "there is a block in it, if")]
    [InlineData("location /thesis/attention/x { return 404; }", "there is a block in it, location")]
    [InlineData("include secret;", "/etc/nginx/secret:1: auth_basic would be lost")]
    [InlineData("include /somewhere/else.conf;", "include would be lost")]
    [InlineData("proxy_set_header X-Remote-User $remote_user;", "no longer be told X-Remote-User")]
    [InlineData("proxy_set_header Host inner.lab;", "host is inner.lab")]
    [InlineData("rewrite ^/thesis/attention/(.*) /$1 break;", "rewrite would be lost")]
    public void What_would_be_lost_is_a_reason_to_leave_it_alone(string directives, string says)
    {
        var locations = Read(Inside(directives));
        Assert.Contains(says, locations.All()[0].Refusal, StringComparison.Ordinal);
        var refused = locations.Without("/thesis/attention", 27003).Problem!;
        Assert.Equal("DURE0985", refused.Kind.Id);
        Assert.Contains("proxy_pass http://10.0.0.5:27003;", refused.Detail, StringComparison.Ordinal);
        Assert.Contains("/etc/nginx/snippets/papers.conf:1", refused.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("include proxy_params; proxy_buffering off; proxy_read_timeout 1d;")]
    [InlineData("add_header X-Frame-Options DENY; proxy_set_header X-Real-IP $remote_addr;")]
    public void What_a_snippet_does_as_well_is_none(string directives) => Assert.Null(Read(Inside(directives)).All()[0].Refusal);

    [Theory]
    [InlineData("location ~ ^/thesis/(attention)/ { proxy_pass http://10.0.0.5:27003; }", "regular expression")]
    [InlineData("location = /thesis/attention/ { proxy_pass http://10.0.0.5:27003; }", "one address only")]
    [InlineData("location /thesis/attention/ { proxy_pass http://10.0.0.5:27003/inner/; }", "changes the path to /inner/")]
    [InlineData("location /thesis/ { location /thesis/attention/ { proxy_pass http://10.0.0.5:27003; } }", "inside another location")]
    [InlineData("location /thesis/attention/ { proxy_pass http://two; }", "several servers")]
    [InlineData("location /thesis/attention/ { proxy_pass http://$backend; }", "cannot be told")]
    public void Locations_that_are_more_or_less_than_one_app_are_refused(string snippet, string says) =>
        Assert.Contains(Read(snippet, more: "upstream two { server 10.0.0.5:27003; server 10.0.0.6:27003; }").All(), one => one.Refusal?.Contains(says, StringComparison.Ordinal) == true);

    [Fact]
    public void An_upstream_of_one_server_is_followed_and_a_stripped_prefix_is_noticed()
    {
        var found = Assert.Single(Read("location /thesis/attention/ { proxy_pass http://one/; }", more: "upstream one { server 10.0.0.5:27003; }").All());
        Assert.Equal((27003, false, null), (found.Port, found.KeepsPrefix, found.Refusal));
    }

    [Fact]
    public void A_server_that_would_have_no_snippet_in_the_place_is_a_reason_to_refuse()
    {
        var refused = Read(Good, server: "include snippets/*.conf;").Without("/thesis/attention", 27003).Problem!;
        Assert.Contains("/etc/nginx/nginx.conf:4 does not include /etc/dure/nginx.d/*.conf", refused.Detail, StringComparison.Ordinal);
        Assert.Contains("leads to port 27003, not 27009", Read(Good).Without("/thesis/attention", 27009).Problem!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_told_and_the_others_are_read()
    {
        var configuration = NginxConfiguration.Parse("# configuration file /etc/nginx/nginx.conf:\nhttp { server { include a.conf; include b.conf; } }\n\n# configuration file /etc/nginx/a.conf:\nlocation / {\n\n# configuration file /etc/nginx/b.conf:\n"
            + Good + "\n\n");
        Assert.Single(new ForeignLocations(configuration, Folder).All());
        Assert.Contains("/etc/nginx/a.conf", Assert.Single(configuration.Faults).ToString(), StringComparison.Ordinal);
    }
}
