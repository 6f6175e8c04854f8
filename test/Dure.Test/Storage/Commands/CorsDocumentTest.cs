using System.Xml.Linq;
using Dure.Storage.Commands;
using Xunit;

namespace Dure.Test.Storage.Commands;

public sealed class CorsDocumentTest
{
    [Fact]
    public void The_preset_is_what_tracking_clients_need()
    {
        var rule = Assert.Single(XElement.Parse(CorsDocument.For(["https://lab.example.org/"])).Elements());
        Assert.Equal(
            ["AllowedHeader=*", "AllowedMethod=GET", "AllowedMethod=HEAD", "AllowedMethod=PUT", "AllowedOrigin=https://lab.example.org", "ExposeHeader=ETag", "MaxAgeSeconds=3000"],
            rule.Elements().Select(element => $"{element.Name.LocalName}={element.Value}"));
    }

    [Theory]
    [InlineData("""{"CORSRules":[{"AllowedMethods":["GET","PUT"],"AllowedOrigins":["*"],"MaxAgeSeconds":60}]}""")]
    [InlineData("""[{"AllowedOrigins":["*"],"MaxAgeSeconds":60,"AllowedMethods":["GET","PUT"]}]""")]
    public void Json_becomes_the_same_configuration(string json) => Assert.Equal(
        ["GET", "PUT", "*", "60"], XElement.Parse(CorsDocument.Read(json).Value).Elements().Single().Elements().Select(element => element.Value));

    [Theory]
    [InlineData("<Other/>")]
    [InlineData("<CORSConfiguration>")]
    [InlineData("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><CORSConfiguration>&b;</CORSConfiguration>")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""[{"Origins":["*"]}]""")]
    [InlineData("nothing")]
    public void What_is_no_configuration_is_refused(string text) => Assert.Equal("DURE0682", CorsDocument.Read(text).Problem?.Kind.Id);

    [Fact]
    public void Xml_stays_as_it_is()
    {
        const string xml = "<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><CORSRule/></CORSConfiguration>";
        Assert.Equal(xml, CorsDocument.Read(xml).Value);
    }
}
