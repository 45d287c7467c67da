/**
 * The passwords that are tried first, in lower case and without the digits and signs that people put
 * behind them: those of the public lists of leaks that can be made twelve characters long, and the
 * words of a hospital.
 */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `
  abcdef access account admin administrator adminadmin alexander amanda america andrea andrew angel
  anonymous antonio arsenal asdfasdf asdfgh asdfghjkl ashley august autumn babygirl barcelona
  baseball basketball batman beautiful benjamin biteme blessed blink bluebird brandon butterfly
  buttercup california carolina changeit changeme changemenow changethis charlie cheese chelsea
  chicago chocolate christian christmas christopher chucknorris clinic computer cookie cookies
  corona correcthorsebatterystaple covid cowboys dallas daniel database december default demo
  demodemo diamond dickhead doctor doctordoctor dolphin donald dragon dragonball elephant elizabeth
  emergency everton fabulous facebook fairytale february ferrari flower flowers football forever
  freedom friday friend friends fuckoff fuckyou gabriel gangster garfield george gfhjkm ginger
  google grandma greenday guardian guest hahaha hallo hannah happiness harley health healthcare
  heaven hello hellohello hellokitty helloworld heslo hockey hollywood hospital hospitals hunter
  icecream idontknow iloveu iloveyou iloveyouforever iloveyousomuch india indian internet january
  jasmine jennifer jessica jesus jesuschrist jonathan jordan joshua juventus justin kennwort killer
  kristina ladybug laura letmein letmeinnow letmeinplease liberty liverpool london lovelove loveme
  lovely loveyou manchester manchesterunited manager marina marine marlboro martin master matrix
  matthew maxwell medical medicine melissa mercedes metallica michael michelle microsoft midnight
  minecraft monday money monkey monster mother motdepasse mustang mylove myname mypassword naruto
  natasha newpassword newyork nicholas nicole nintendo nopassword november nurse october
  oldpassword onedirection openthedoor orange parola parool passphrase password passwordpassword
  passwort passw0rd patient patrick peanut peanutbutter pepper phoenix please pokemon porsche
  precious princess private purple qazwsx qazwsxedc qqww1122 qwaszx qwer qwerasdfzxcv qwert qwerty
  qwertyasdf qwertyqwerty qwertyuiop qwertz qwertzuiop rainbow ranger reception receptionist
  robert rockstar rockyou ronaldo root rootroot samantha samsung saturday scooter secret
  secretpassword secure security senha september shadow silver simple slipknot slotkeeper
  snoopy snowball soccer softball sophie spiderman spring starwars steelers stella strawberry
  student summer sunday sunflower sunshine super superman superstar superuser supervisor sweetheart
  sweetie system target teacher teddybear temporary temppass test testing testpassword testtest
  thanks theone thomas thunder thursday tigger tinkerbell tottenham training trinity trustno
  tuesday twilight unicorn universe user username vanessa vampire victoria victory wachtwoord
  warcraft warrior wednesday welcome welcomehome welcometothejungle whatever william william windows
  winner winter winston wordpass workstation yankees yellow yourpassword zaq1zaq1 zaq12wsx
  zxcvbn zxcvbnm
  `
    .trim()
    .split(/\s+/),
);
